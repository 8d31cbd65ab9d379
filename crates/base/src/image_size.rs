//! Height and width of a picture.

use std::fmt;
use std::num::NonZeroU32;

/// Height and width in pixels. Neither is zero, and the area fits a `u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "[u32; 2]", into = "[u32; 2]")]
pub struct ImageSize {
    height: NonZeroU32,
    width: NonZeroU32,
}

impl ImageSize {
    /// `None` where a side is zero or the area overflows.
    pub fn new(height: u32, width: u32) -> Option<Self> {
        height.checked_mul(width)?;
        Some(Self { height: NonZeroU32::new(height)?, width: NonZeroU32::new(width)? })
    }

    /// In pixels.
    pub fn height(self) -> u32 {
        self.height.get()
    }

    /// In pixels.
    pub fn width(self) -> u32 {
        self.width.get()
    }

    /// In pixels.
    pub fn area(self) -> u32 {
        self.height.get() * self.width.get()
    }

    /// The size after a quarter turn.
    pub fn transposed(self) -> Self {
        Self { height: self.width, width: self.height }
    }
}

impl TryFrom<[u32; 2]> for ImageSize {
    type Error = String;

    fn try_from([height, width]: [u32; 2]) -> Result<Self, String> {
        Self::new(height, width).ok_or_else(|| format!("{height} × {width} is no size of a picture"))
    }
}

impl From<ImageSize> for [u32; 2] {
    fn from(size: ImageSize) -> Self {
        [size.height(), size.width()]
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.height, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_size_is_empty_or_too_large() {
        assert!(ImageSize::new(0, 5).is_none() && ImageSize::new(5, 0).is_none());
        assert!(ImageSize::new(65_536, 65_536).is_none());
        assert_eq!(ImageSize::new(65_535, 65_537).map(ImageSize::area), Some(u32::MAX));
        assert_eq!(ImageSize::new(2, 3).map(|size| size.to_string()).as_deref(), Some("2 × 3"));
    }
}
