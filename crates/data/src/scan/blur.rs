//! How blurred a picture is.
//!
//! A sharp picture loses much of its neighbours' differences when it is blurred once more, a blurred one hardly any.
//! Source: F. Crete, T. Dolmiere, P. Ladret, M. Nicolas, "The blur effect: perception and estimation with a new no-reference
//! perceptual blur metric", 2007; as `skimage.measure.blur_effect`, on a picture of at most twice [`SHORTER`].

use crate::Picture;

/// A picture is looked at by whole multiples smaller, its shorter side no less than this: what a network of usual input sizes
/// would see of it, and no more work for a large picture than for a small one.
const SHORTER: usize = 192;
/// Pixels that the second blur takes the mean of.
const WINDOW: usize = 11;
/// Pixels that do not count before the first and after the last, of a row as of a column.
const MARGINS: [usize; 2] = [2, 1];
/// A mean difference between neighbours below this, in grey levels, is no detail.
const FLAT: f64 = 0.25;

/// The share of detail that is still there after one more blur, in the direction that keeps more. `None` for a picture without
/// any detail, or too small for it.
pub(super) fn of(picture: &Picture) -> Option<f32> {
    let plane = Plane::of(picture);
    if plane.height < WINDOW || plane.width < WINDOW {
        return None;
    }
    let (across, down) = (plane.kept(), plane.turned().kept());
    Some(across?.max(down?))
}

/// Luma, row by row.
struct Plane {
    height: usize,
    width: usize,
    luma: Vec<f32>,
}

impl Plane {
    /// Means of squares of pixels; what is left at the right and lower edge is cut off.
    fn of(picture: &Picture) -> Self {
        let (height, width) = (picture.size().height() as usize, picture.size().width() as usize);
        let factor = (height.min(width) / SHORTER).max(1);
        let (small_height, small_width) = (height / factor, width / factor);
        let mut luma = vec![0.0; small_height * small_width];
        for (y, row) in picture.colours().chunks_exact(width).take(small_height * factor).enumerate() {
            let sums = &mut luma[y / factor * small_width..][..small_width];
            for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(factor)) {
                let luma = |&[r, g, b]: &[u8; 3]| u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471;
                *sum += pixels.iter().map(luma).map(|luma| luma as f32).sum::<f32>();
            }
        }
        let scale = 1.0 / (65536.0 * (factor * factor) as f32);
        luma.iter_mut().for_each(|luma| *luma *= scale);
        Self { height: small_height, width: small_width, luma }
    }

    fn turned(&self) -> Self {
        let mut luma = Vec::with_capacity(self.luma.len());
        for x in 0..self.width {
            luma.extend((0..self.height).map(|y| self.luma[y * self.width + x]));
        }
        Self { height: self.width, width: self.height, luma }
    }

    /// The share of differences along rows that means of [`WINDOW`] pixels of a row still show.
    fn kept(&self) -> Option<f32> {
        let width = self.width;
        let mut blurred = vec![0.0; self.luma.len()];
        self.luma.chunks_exact(width).zip(blurred.chunks_exact_mut(width)).for_each(|(from, to)| means(from, to));
        let (mut all, mut lost) = (0.0, 0.0);
        let [mut sharp, mut soft] = [vec![0.0; width], vec![0.0; width]];
        for y in MARGINS[0]..self.height - MARGINS[1] {
            smoothed(&self.luma[(y - 1) * width..], &mut sharp);
            smoothed(&blurred[(y - 1) * width..], &mut soft);
            // Sums of eight columns each, so that they need not wait for each other.
            let [mut all_of_row, mut lost_of_row] = [[0.0f32; 8]; 2];
            let counted = MARGINS[0]..width - MARGINS[1];
            for from in counted.clone().step_by(8) {
                for lane in 0..(counted.end - from).min(8) {
                    let difference = |row: &[f32]| (row[from + lane + 1] - row[from + lane - 1]).abs();
                    let (sharp, soft) = (difference(&sharp), difference(&soft));
                    all_of_row[lane] += sharp;
                    lost_of_row[lane] += (sharp - soft).max(0.0);
                }
            }
            all += f64::from(all_of_row.iter().sum::<f32>());
            lost += f64::from(lost_of_row.iter().sum::<f32>());
        }
        let margins = MARGINS[0] + MARGINS[1];
        let counted = ((self.height - margins) * (width - margins)) as f64;
        // Sobel's weights add up to 4, over two pixels.
        (all / (8.0 * counted) >= FLAT).then(|| ((all - lost) / all) as f32)
    }
}

/// Three rows of a plane as one, by Sobel's weights: the middle one counts twice.
fn smoothed(rows: &[f32], to: &mut [f32]) {
    let (upper, rest) = rows.split_at(to.len());
    let (middle, lower) = rest.split_at(to.len());
    for (((to, upper), middle), lower) in to.iter_mut().zip(upper).zip(middle).zip(lower) {
        *to = upper + 2.0 * middle + lower;
    }
}

/// Running means of [`WINDOW`] values; beyond the ends, the row goes on mirrored.
fn means(row: &[f32], to: &mut [f32]) {
    let half = WINDOW / 2;
    let at = |i: usize| {
        // `i` is shifted by `half`.
        let mirrored = if i < half { half - 1 - i } else { i - half };
        row[if mirrored < row.len() { mirrored } else { 2 * row.len() - 1 - mirrored }]
    };
    let mut sum: f32 = (0..WINDOW).map(at).sum();
    for (x, mean) in to.iter_mut().enumerate() {
        *mean = sum / WINDOW as f32;
        if x + 1 < row.len() {
            sum += at(x + WINDOW) - at(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use avizor_base::ImageSize;

    /// Squares and a slope, as in `scripts/golden_blur.py`; each pixel the mean of a box around it.
    fn picture(height: i32, width: i32, radius: i32) -> Picture {
        let luma = |y: i32, x: i32| {
            let (y, x) = (y.clamp(0, height - 1), x.clamp(0, width - 1));
            (y / 7 + x / 5) % 3 * 60 + x * 50 / width + y * y * 20 / (height * height)
        };
        let around = |at: i32| at - radius..=at + radius;
        let side = 2 * radius + 1;
        let mean = |y, x| around(y).flat_map(|y| around(x).map(move |x| luma(y, x))).sum::<i32>() / (side * side);
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| [mean(y, x) as u8; 3])).collect();
        Picture::new(ImageSize::new(height as u32, width as u32).unwrap(), pixels).unwrap()
    }

    #[test]
    fn it_is_scikit_images() {
        for (height, width, radius, wanted) in [
            (40, 64, 0, 0.21691),
            (40, 64, 2, 0.45223),
            (64, 40, 2, 0.41968),
            (11, 11, 0, 0.36895),
            (395, 500, 0, 0.18455),
            (395, 500, 6, 0.20375),
        ] {
            let got = of(&picture(height, width, radius)).unwrap();
            assert!((f64::from(got) - wanted).abs() < 2e-4, "{height} × {width}, {radius}: {got}, not {wanted}");
        }
    }

    #[test]
    fn what_has_no_detail_or_few_pixels_is_not_judged() {
        let size = |height, width| ImageSize::new(height, width).unwrap();
        assert_eq!(of(&Picture::filled(size(50, 50), [90, 0, 200])), None);
        assert_eq!(of(&picture(10, 300, 0)), None);
        assert_eq!(of(&Picture::filled(size(1, 1), [3; 3])), None);
    }
}
