//! How large a file and a picture may be.

use avizor_base::ImageSize;

use super::{DecodeError, Format};

/// How large a file and a picture may be, checked before anything of the declared size is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the file.
    pub max_bytes: u64,
    /// Height times width.
    pub max_pixels: u64,
    /// Height or width.
    pub max_side: u32,
}

impl Default for Limits {
    /// 256 MiB, 100 megapixels, 65,535 a side.
    fn default() -> Self {
        Self { max_bytes: 256 << 20, max_pixels: 100_000_000, max_side: 65_535 }
    }
}

impl Limits {
    /// The declared size as a size that a picture may have.
    pub(crate) fn check_size(&self, format: Format, height: u64, width: u64) -> Result<ImageSize, DecodeError> {
        if height == 0 || width == 0 {
            return Err(DecodeError::NoPixels { format, height, width });
        }
        let pixels = height.saturating_mul(width);
        let side = u64::from(self.max_side);
        let size = match (u32::try_from(height), u32::try_from(width)) {
            (Ok(height), Ok(width)) => ImageSize::new(height, width),
            _ => None,
        };
        match size {
            Some(size) if pixels <= self.max_pixels && height <= side && width <= side => Ok(size),
            _ => {
                let (max_pixels, max_side) = (self.max_pixels, self.max_side);
                Err(DecodeError::TooLarge { height, width, max_pixels, max_side })
            }
        }
    }

    /// What a decoder may allocate: the widest samples of the largest picture, and room for tables.
    pub(super) fn allocation(&self) -> u64 {
        self.max_pixels.saturating_mul(8).saturating_add(16 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_size_is_checked_on_pixels_and_on_sides() {
        let limits = Limits { max_bytes: 0, max_pixels: 100, max_side: 50 };
        let check = |height, width| limits.check_size(Format::Png, height, width);
        assert!(check(10, 10).is_ok() && check(2, 50).is_ok());
        assert!(matches!(check(1, 51), Err(DecodeError::TooLarge { .. })));
        assert!(matches!(check(11, 10), Err(DecodeError::TooLarge { .. })));
        assert!(matches!(check(u64::MAX, u64::MAX), Err(DecodeError::TooLarge { .. })));
        assert!(matches!(check(0, 10), Err(DecodeError::NoPixels { .. })));
    }
}
