//! From the bytes of a file to a picture, under limits, with what is known about how it was stored.
//!
//! The format is told by the first bytes, never by the name. Whatever comes in, what comes out is RGB8, upright, or
//! a [`DecodeError`] whose text says what is wrong and what to do; nothing panics, and nothing of a declared size is
//! allocated before [`Limits`] have seen that size.

mod error;
mod format;
mod header;
mod jpeg;
mod limits;
mod orientation;
mod samples;
mod stranger;
mod tiff;

use std::panic::{AssertUnwindSafe, catch_unwind};

use avizor_base::ImageSize;

use crate::Picture;
#[cfg(feature = "turbojpeg")]
use crate::resize::Extent;

pub use error::DecodeError;
pub use format::Format;
pub use limits::Limits;
pub use orientation::Orientation;

/// How files become pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// RGB shown through transparency.
    pub background: [u8; 3],
    /// How large a file and a picture may be.
    pub limits: Limits,
    /// What happens to a picture that is cut off before its end.
    pub cut_off: CutOff,
}

impl Default for DecodeOptions {
    /// Over white, default limits, what is cut off is refused.
    fn default() -> Self {
        Self { background: [255; 3], limits: Limits::default(), cut_off: CutOff::Refuse }
    }
}

/// What happens to a JPEG that is cut off before its end (other formats always refuse).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutOff {
    /// [`DecodeError::CutOff`], as Pillow and torchvision do.
    Refuse,
    /// What there is, the rest gray; [`Facts::truncated`] says so.
    Keep,
}

/// A picture and how it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Upright, RGB.
    pub picture: Picture,
    /// How it was stored.
    pub facts: Facts,
}

/// How a picture is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Facts {
    /// By content.
    pub format: Format,
    /// What a stored pixel is.
    pub mode: Mode,
    /// Bits of a stored sample: 1, 2, 4, 5, 8, 12, 16 or 32.
    pub bits: u8,
    /// Before the orientation is applied.
    pub stored_size: ImageSize,
    /// More than one frame or page; only the first is read.
    pub animated: bool,
    /// Already applied to a decoded picture.
    pub orientation: Orientation,
    /// Cut off before its end. [`probe`] cannot know it and says `false`.
    pub truncated: bool,
    /// Decoded, but only by a decoder that forgives errors: some of it may be wrong. [`probe`] says `false`.
    pub damaged: bool,
}

impl Facts {
    /// The size of the upright picture.
    pub fn size(&self) -> ImageSize {
        if self.orientation.swaps_sides() { self.stored_size.transposed() } else { self.stored_size }
    }
}

/// What a stored pixel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Mode {
    /// Gray, or black and white when it has one bit.
    Gray,
    /// Gray with alpha, or with one transparent value.
    GrayAlpha,
    /// Red, green, blue; JPEG's and WebP's luma and chroma count as this.
    Rgb,
    /// The same with alpha, or with one transparent colour.
    Rgba,
    /// An index into a table of colours.
    Palette,
    /// Four inks.
    Cmyk,
    /// Four inks, the first three as luma and chroma.
    Ycck,
}

impl Mode {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::GrayAlpha => "gray_alpha",
            Self::Rgb => "rgb",
            Self::Rgba => "rgba",
            Self::Palette => "palette",
            Self::Cmyk => "cmyk",
            Self::Ycck => "ycck",
        }
    }
}

/// Format, size and mode from the header alone: cheap, allocates nothing of the declared size.
///
/// # Errors
/// When the bytes are no picture that is read, or the declared size breaks a limit.
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Facts, DecodeError> {
    check_bytes(bytes, limits)?;
    let format = Format::recognise(bytes)?;
    guarded(format, || header::read(format, bytes, limits))
}

/// The picture that a file holds: RGB8, upright, transparency over the background.
///
/// JPEG is decoded strictly first; what fails is tried again with a decoder that forgives, and the facts say so.
/// 16-bit samples keep their upper eight bits, as Pillow does. CMYK becomes RGB by Pillow's rule without a profile.
///
/// # Errors
/// When the bytes are no picture that is read, are damaged or cut off, or break a limit.
pub fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    check_bytes(bytes, &options.limits)?;
    let format = Format::recognise(bytes)?;
    let mut decoded = guarded(format, || {
        let facts = header::read(format, bytes, &options.limits)?;
        match format {
            Format::Jpeg => jpeg::decode(bytes, facts, options),
            Format::Tiff => tiff::decode(bytes, facts, options),
            _ => samples::decode(bytes, facts, options),
        }
    })?;
    decoded.picture = decoded.facts.orientation.apply(decoded.picture);
    Ok(decoded)
}

/// Whether this program has libjpeg-turbo, which every [`JpegDecoding`](avizor_base::JpegDecoding) but the exact one needs.
pub const HAS_TURBOJPEG: bool = cfg!(feature = "turbojpeg");

/// A JPEG by libjpeg-turbo, its sides divided by what `by` says of the upright picture's size, and where it then lies in its
/// pixels: RGB8, upright.
/// `None` for whatever [`decode`] must look at.
#[cfg(feature = "turbojpeg")]
pub(crate) fn decode_by_libjpeg(
    bytes: &[u8],
    options: &DecodeOptions,
    by: impl FnOnce(ImageSize) -> u32,
) -> Option<(Picture, Extent)> {
    let facts = probe(bytes, &options.limits).ok().filter(|facts| facts.format == Format::Jpeg)?;
    let by = by(facts.size());
    let picture = jpeg::libjpeg::decode(bytes, &facts, by)?;
    let extent = Extent::shrunk(facts.size(), by, facts.orientation.reverses());
    Some((facts.orientation.apply(picture), extent))
}

fn check_bytes(bytes: &[u8], limits: &Limits) -> Result<(), DecodeError> {
    let count = bytes.len() as u64;
    if count > limits.max_bytes {
        return Err(DecodeError::TooManyBytes { bytes: count, limit: limits.max_bytes });
    }
    Ok(())
}

/// Foreign decoders have panicked on forged files before (a malformed count of components in zune-jpeg): such a
/// file is a damaged picture, not the end of the program.
fn guarded<T>(format: Format, work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(DecodeError::damaged(format, "its decoder gave up on it")))
}
