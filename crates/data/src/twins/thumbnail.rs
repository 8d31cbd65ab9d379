//! A picture as few grey pixels: what all comparisons begin with.

use crate::Picture;

/// Pixels of a side.
pub(super) const SIDE: usize = 64;

/// A picture's luma (Rec. 601), squashed to a square; every pixel is the mean of the area it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    luma: Box<[u8; SIDE * SIDE]>,
    /// Pixels of the picture's shorter side.
    shorter: u32,
}

impl Thumbnail {
    /// Of a decoded picture.
    pub fn of(picture: &Picture) -> Self {
        let (height, width) = (picture.size().height() as usize, picture.size().width() as usize);
        let mut sums = vec![0.0f32; SIDE * SIDE];
        let mut before = vec![0.0f32; width + 1];
        let mut row = [0.0f32; SIDE];
        for (y, line) in picture.pixels().chunks_exact(3 * width).enumerate() {
            for (x, pixel) in line.chunks_exact(3).enumerate() {
                let luma = u32::from(pixel[0]) * 19595 + u32::from(pixel[1]) * 38470 + u32::from(pixel[2]) * 7471;
                before[x + 1] = before[x] + luma as f32 * (1.0 / 65536.0);
            }
            means(&before, &mut row);
            // The rows of the thumbnail that this one lies in, by the share of each that it covers.
            let (top, bottom) = (scaled(y, height), scaled(y + 1, height));
            let mut at = top;
            while at < bottom - 1e-6 {
                let to = ((at + 1e-6).floor() + 1.0).min(bottom);
                let sums = &mut sums[((at + 1e-6) as usize).min(SIDE - 1) * SIDE..][..SIDE];
                sums.iter_mut().zip(&row).for_each(|(sum, mean)| *sum += mean * (to - at));
                at = to;
            }
        }
        let mut luma = Box::new([0; SIDE * SIDE]);
        luma.iter_mut().zip(&sums).for_each(|(luma, &sum)| *luma = (sum + 0.5) as u8);
        Self { luma, shorter: picture.size().height().min(picture.size().width()) }
    }

    /// One that was made before.
    pub(crate) fn restored(luma: Box<[u8; SIDE * SIDE]>, shorter: u32) -> Self {
        Self { luma, shorter }
    }

    /// Pixels of the picture's shorter side.
    pub(crate) fn shorter_side(&self) -> usize {
        self.shorter as usize
    }

    /// Row by row.
    pub(crate) fn luma(&self) -> &[u8; SIDE * SIDE] {
        &self.luma
    }
}

/// Where a row or column of a picture begins in the thumbnail.
fn scaled(at: usize, of: usize) -> f32 {
    (at * SIDE) as f32 / of as f32
}

/// Means of equal stretches of a row, from the sums of its beginnings.
fn means(before: &[f32], row: &mut [f32; SIDE]) {
    let width = before.len() - 1;
    let sum_until = |k: usize| {
        let (whole, rest) = (k * width / SIDE, (k * width % SIDE) as f32 / SIDE as f32);
        let next = before[(whole + 1).min(width)];
        before[whole] + rest * (next - before[whole])
    };
    let mut from = 0.0;
    for (k, mean) in row.iter_mut().enumerate() {
        let to = sum_until(k + 1);
        *mean = (to - from) * SIDE as f32 / width as f32;
        from = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use avizor_base::ImageSize;

    fn picture(height: u32, width: u32, grey: impl Fn(u32, u32) -> u8) -> Picture {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (y, x))).flat_map(|(y, x)| [grey(y, x); 3]);
        Picture::new(ImageSize::new(height, width).unwrap(), pixels.collect()).unwrap()
    }

    #[test]
    fn a_pixel_is_the_mean_of_its_area() {
        for (height, width) in [(64, 64), (128, 192), (1, 1), (3, 200), (65, 63), (640, 480)] {
            let flat = Thumbnail::of(&picture(height, width, |_, _| 77));
            assert!(flat.luma().iter().all(|&luma| luma == 77), "{height} × {width}");
            // A ramp keeps its mean, and rises.
            let ramp = Thumbnail::of(&picture(height, width, |_, x| (x * 255 / width) as u8));
            let mean = |luma: &[u8]| luma.iter().map(|&v| f64::from(v)).sum::<f64>() / luma.len() as f64;
            let expected = (0..width).map(|x| f64::from(x * 255 / width)).sum::<f64>() / f64::from(width);
            assert!((mean(ramp.luma().as_slice()) - expected).abs() < 1.0, "{height} × {width}");
            assert!(ramp.luma()[..SIDE].is_sorted());
        }
        let halves = Thumbnail::of(&picture(2, 2, |y, x| [[0, 100], [200, 40]][y as usize][x as usize]));
        assert_eq!(
            [halves.luma()[0], halves.luma()[63], halves.luma()[63 * 64], halves.luma()[64 * 64 - 1]],
            [0, 100, 200, 40]
        );
    }
}
