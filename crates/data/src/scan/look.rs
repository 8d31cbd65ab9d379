//! What is kept of a decoded picture: enough to say what is wrong with it, and which others it equals.

use xxhash_rust::xxh3::Xxh3;

use super::{Light, blur, border};
use crate::Picture;
use crate::decode::Facts;

/// What is known of a picture that could be decoded.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Seen {
    /// How it is stored.
    pub facts: Facts,
    /// Of its size and pixels.
    pub pixels: PixelHash,
    /// How bright it is, and whether it has colour.
    pub light: Light,
    /// How blurred it is: 0 is not at all, 1 is as much as can be. `None` for a picture without any detail or of few pixels.
    pub blur: Option<f32>,
    /// Mean colour of its outermost pixels.
    pub border: [u8; 3],
}

impl Seen {
    pub(crate) fn of(picture: &Picture, facts: Facts) -> Self {
        Self {
            facts,
            pixels: PixelHash::of(picture),
            light: Light::of(picture),
            blur: blur::of(picture),
            border: border::of(picture),
        }
    }
}

/// Equal for pictures that look the same to the last pixel, however they are stored: 128 bits of XXH3 over size and pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct PixelHash(u128);

impl PixelHash {
    fn of(picture: &Picture) -> Self {
        let mut hash = Xxh3::new();
        let size = picture.size();
        [size.height(), size.width()].into_iter().for_each(|side| hash.update(&side.to_le_bytes()));
        hash.update(picture.pixels());
        Self(hash.digest128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use avizor_base::ImageSize;

    #[test]
    fn pictures_with_equal_bytes_and_other_sides_differ() {
        let hash = |height, width, last| {
            let mut pixels = vec![7; 18];
            pixels[17] = last;
            PixelHash::of(&Picture::new(ImageSize::new(height, width).unwrap(), pixels).unwrap())
        };
        assert_eq!(hash(2, 3, 7), hash(2, 3, 7));
        assert_ne!(hash(2, 3, 7), hash(3, 2, 7));
        assert_ne!(hash(2, 3, 7), hash(2, 3, 8));
    }
}
