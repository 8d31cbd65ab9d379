//! Formats, recognised by their first bytes, never by the name.

use std::fmt;

use super::DecodeError;
use super::stranger;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Format {
    /// Baseline and progressive, Huffman coded, 8 bits.
    Jpeg,
    /// All colour types and depths; of an animated one the default picture.
    Png,
    /// The first frame.
    Gif,
    /// Lossy and lossless; of an animated one the first frame.
    WebP,
    /// Windows and OS/2 bitmaps.
    Bmp,
    /// The first page.
    Tiff,
}

impl Format {
    /// The name that people know.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        }
    }

    /// Extensions that files of this format usually have, lower case, the commonest first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif", "mpo"],
            Self::Png => &["png", "apng"],
            Self::Gif => &["gif"],
            Self::WebP => &["webp"],
            Self::Bmp => &["bmp", "dib"],
            Self::Tiff => &["tif", "tiff"],
        }
    }

    /// The format that the first bytes show, or what they show instead.
    pub(super) fn recognise(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Ok(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Self::WebP),
            [b'B', b'M', ..] if is_bitmap_header(bytes) => Ok(Self::Bmp),
            // Camera makers' raw files are TIFF containers: the stranger's list looks for those first.
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
                stranger::raw_photo(bytes).map_or(Ok(Self::Tiff), Err)
            }
            _ => Err(stranger::name(bytes)),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// "BM" alone is also how a text may begin: the size of the second header decides.
fn is_bitmap_header(bytes: &[u8]) -> bool {
    let size = bytes.get(14..18).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    size.is_some_and(|size| (12..=256).contains(&size))
}
