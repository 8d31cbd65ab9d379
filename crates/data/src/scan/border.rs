//! The colour of a picture's edge: a backdrop that tells the class shows there.

use crate::Picture;

/// Mean of the pixels of the first and last row and column.
pub(super) fn of(picture: &Picture) -> [u8; 3] {
    let (height, width) = (picture.size().height() as usize, picture.size().width() as usize);
    let pixels = picture.colours();
    let (mut sums, mut count) = ([0u64; 3], 0u64);
    let mut add = |pixel: [u8; 3]| {
        sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(value));
        count += 1;
    };
    for (y, row) in pixels.chunks_exact(width).enumerate() {
        if y == 0 || y + 1 == height {
            row.iter().for_each(|&pixel| add(pixel));
        } else {
            add(row[0]);
            if width > 1 {
                add(row[width - 1]);
            }
        }
    }
    sums.map(|sum| ((sum + count / 2) / count) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use avizor_base::ImageSize;

    #[test]
    fn only_the_outermost_pixels_count_and_each_once() {
        for (height, width, border) in [(1, 1, 9), (1, 4, 9), (4, 1, 9), (2, 2, 9), (3, 3, 9), (5, 7, 9)] {
            let size = ImageSize::new(height, width).unwrap();
            let pixel = |y: u32, x: u32| {
                let inside = (1..height.max(2) - 1).contains(&y) && (1..width.max(2) - 1).contains(&x);
                if inside { [200, 0, 0] } else { [9, 100, 0] }
            };
            let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(y, x))).collect();
            assert_eq!(of(&Picture::new(size, pixels).unwrap()), [border, 100, 0], "{height} × {width}");
        }
        let row = Picture::new(ImageSize::new(1, 3).unwrap(), vec![0, 0, 0, 0, 0, 0, 30, 0, 0]).unwrap();
        assert_eq!(of(&row), [10, 0, 0]);
    }
}
