//! Which way up a camera held a picture.

use crate::picture::{Picture, byte_count};

/// The EXIF tag "Orientation": what the stored rows and columns are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Orientation {
    /// 1: upright.
    #[default]
    Upright = 1,
    /// 2: mirrored left to right.
    Mirrored = 2,
    /// 3: upside down.
    HalfTurn = 3,
    /// 4: mirrored top to bottom.
    Flipped = 4,
    /// 5: rows are columns.
    Transposed = 5,
    /// 6: to be turned a quarter clockwise.
    QuarterClockwise = 6,
    /// 7: rows are columns, from the other corner.
    Transversed = 7,
    /// 8: to be turned a quarter anticlockwise.
    QuarterAnticlockwise = 8,
}

impl Orientation {
    /// `None` for anything but 1 to 8.
    pub fn from_tag(value: u32) -> Option<Self> {
        use Orientation::{
            Flipped, HalfTurn, Mirrored, QuarterAnticlockwise, QuarterClockwise, Transposed, Transversed, Upright,
        };
        let all =
            [Upright, Mirrored, HalfTurn, Flipped, Transposed, QuarterClockwise, Transversed, QuarterAnticlockwise];
        all.get((value as usize).wrapping_sub(1)).copied()
    }

    /// Whether height and width change places.
    pub fn swaps_sides(self) -> bool {
        matches!(self, Self::Transposed | Self::QuarterClockwise | Self::Transversed | Self::QuarterAnticlockwise)
    }

    /// Whether rows and columns of the upright picture run against those, stored as either, that they are made of.
    #[cfg(feature = "turbojpeg")]
    pub(super) fn reverses(self) -> [bool; 2] {
        let rows = matches!(self, Self::HalfTurn | Self::Flipped | Self::Transversed | Self::QuarterAnticlockwise);
        let columns = matches!(self, Self::Mirrored | Self::HalfTurn | Self::QuarterClockwise | Self::Transversed);
        [rows, columns]
    }

    /// From a raw EXIF block (a TIFF header and its directories). An illegal value or a broken block says nothing.
    pub(super) fn from_exif(block: &[u8]) -> Option<Self> {
        let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
        let mut reader = exif::Reader::new();
        reader.continue_on_error(true);
        let read = reader.read_raw(block.to_vec());
        let exif = read.or_else(|error| error.distill_partial_result(|_| ())).ok()?;
        let field = exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?;
        Self::from_tag(field.value.get_uint(0)?)
    }

    /// From an XMP block: the same tag as text, which some programs write instead. Found as Pillow finds it.
    pub(super) fn from_xmp(block: &[u8]) -> Option<Self> {
        let name = b"tiff:Orientation";
        let mut windows = block.windows(name.len() + 3).filter(|window| window.starts_with(name));
        windows.find_map(|window| match window[name.len()..] {
            [b'=', b'"', digit] | [b'>', digit, _] => Self::from_tag(u32::from(digit.wrapping_sub(b'0'))),
            _ => None,
        })
    }

    /// The upright picture.
    pub(super) fn apply(self, picture: Picture) -> Picture {
        let (height, width) = (picture.size().height() as usize, picture.size().width() as usize);
        let (right, bottom) = (width - 1, height - 1);
        match self {
            Self::Upright => picture,
            Self::Mirrored => {
                let mut picture = picture;
                picture.colours_mut().chunks_exact_mut(width).for_each(<[_]>::reverse);
                picture
            }
            Self::HalfTurn => {
                let mut picture = picture;
                picture.colours_mut().reverse();
                picture
            }
            Self::Flipped => {
                let mut pixels = Vec::with_capacity(picture.pixels().len());
                picture.pixels().chunks_exact(3 * width).rev().for_each(|row| pixels.extend_from_slice(row));
                let mut picture = picture;
                picture.replace_pixels(pixels);
                picture
            }
            Self::Transposed => turned(&picture, |y, x| (x, y)),
            Self::QuarterClockwise => turned(&picture, |y, x| (bottom - x, y)),
            Self::Transversed => turned(&picture, |y, x| (bottom - x, right - y)),
            Self::QuarterAnticlockwise => turned(&picture, |y, x| (x, right - y)),
        }
    }
}

/// A picture of the transposed size whose pixel (y, x) is the stored pixel at `from(y, x)`.
fn turned(picture: &Picture, from: impl Fn(usize, usize) -> (usize, usize)) -> Picture {
    let size = picture.size().transposed();
    let (stored, width) = (picture.colours(), picture.size().width() as usize);
    let mut pixels = Vec::with_capacity(byte_count(size));
    for y in 0..size.height() as usize {
        for x in 0..size.width() as usize {
            let (row, column) = from(y, x);
            pixels.extend_from_slice(&stored[row * width + column]);
        }
    }
    let mut upright = Picture::filled(size, [0; 3]);
    upright.replace_pixels(pixels);
    upright
}

#[cfg(test)]
mod tests {
    use avizor_base::ImageSize;

    use super::*;

    /// Rows of one letter a pixel.
    fn picture(rows: &[&str]) -> Picture {
        let size = ImageSize::new(rows.len() as u32, rows[0].len() as u32).unwrap();
        Picture::new(size, rows.concat().bytes().flat_map(|byte| [byte; 3]).collect()).unwrap()
    }

    /// How the upright picture "abc/def" is stored under each value of the tag (TIFF 6.0, "Orientation").
    const STORED: &[(u32, &[&str])] = &[
        (1, &["abc", "def"]),
        (2, &["cba", "fed"]),
        (3, &["fed", "cba"]),
        (4, &["def", "abc"]),
        (5, &["ad", "be", "cf"]),
        (6, &["cf", "be", "ad"]),
        (7, &["fc", "eb", "da"]),
        (8, &["da", "eb", "fc"]),
    ];

    #[test]
    fn every_orientation_comes_back_upright() {
        for (tag, rows) in STORED {
            let orientation = Orientation::from_tag(*tag).unwrap();
            assert_eq!(orientation.apply(picture(rows)), picture(&["abc", "def"]), "tag {tag}");
        }
        assert!([0, 9, u32::MAX].into_iter().all(|tag| Orientation::from_tag(tag).is_none()));
    }

    #[test]
    fn orientation_is_found_in_xmp_as_attribute_and_as_element() {
        assert_eq!(Orientation::from_xmp(b"<a tiff:Orientation=\"6\"/>"), Some(Orientation::QuarterClockwise));
        assert_eq!(Orientation::from_xmp(b"<tiff:Orientation>3</tiff:Orientation>"), Some(Orientation::HalfTurn));
        assert_eq!(Orientation::from_xmp(b"<tiff:Orientation>9</tiff:Orientation>"), None);
        assert_eq!(Orientation::from_xmp(b"tiff:Orientation"), None);
    }
}
