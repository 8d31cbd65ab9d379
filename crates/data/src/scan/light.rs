//! How bright a picture is, and whether it has colour.

use crate::Picture;

/// Brightness and colour of a decoded picture.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Light {
    /// Mean of the luma (Rec. 601), in `0.0..=255.0`.
    pub mean: f32,
    /// Standard deviation of the luma, in `0.0..=127.5`.
    pub deviation: f32,
    /// No pixel has two channels more than two levels apart.
    pub gray: bool,
}

impl Light {
    pub(super) fn of(picture: &Picture) -> Self {
        let (mut sum, mut squares, mut spread) = (0u64, 0u64, 0u8);
        for &[r, g, b] in picture.colours() {
            // Pillow's "L": weights in 1/65536, which add up to one.
            let luma = (u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000) >> 16;
            sum += u64::from(luma);
            squares += u64::from(luma * luma);
            spread = spread.max(r.max(g).max(b) - r.min(g).min(b));
        }
        let pixels = f64::from(picture.size().area());
        let mean = sum as f64 / pixels;
        let variance = (squares as f64 / pixels - mean * mean).max(0.0);
        Self { mean: mean as f32, deviation: variance.sqrt() as f32, gray: spread <= 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use avizor_base::ImageSize;

    #[test]
    fn black_and_white_and_colour() {
        let size = ImageSize::new(1, 2).unwrap();
        let light = |pixels: [u8; 6]| Light::of(&Picture::new(size, pixels.to_vec()).unwrap());
        assert_eq!(light([0, 0, 0, 255, 255, 255]), Light { mean: 127.5, deviation: 127.5, gray: true });
        assert!(light([10, 12, 11, 0, 0, 2]).gray);
        assert!(!light([10, 13, 11, 0, 0, 2]).gray);
        assert_eq!(light([255, 0, 0, 255, 0, 0]).mean, 76.0);
    }
}
