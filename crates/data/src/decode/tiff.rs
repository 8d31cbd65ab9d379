//! TIFF through the `tiff` crate: the first page, any samples of up to 16 bits.
//!
//! That crate refuses palettes. A picture with one is read as a gray picture, whose samples then are the indices: the
//! entry of the directory that says how colours are meant is changed in a copy of the file.

use std::borrow::Cow;
use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

use super::header::{Declared, at};
use super::jpeg::{through_ink, ycc_to_rgb};
use super::samples::{gray, over};
use super::{DecodeError, DecodeOptions, Decoded, Facts, Format, Mode, Orientation};
use crate::Picture;

const FORMAT: Format = Format::Tiff;

type Pages<'a> = Decoder<Cursor<&'a [u8]>>;

/// Opens the first page, for which nothing of the declared size is allocated yet.
fn open(bytes: &[u8]) -> Result<(Pages<'_>, ColorType), DecodeError> {
    let mut limits = tiff::decoder::Limits::default();
    // No directory entry is larger than the file.
    limits.ifd_value_size = bytes.len().max(1024);
    let mut pages = Decoder::new(Cursor::new(bytes)).map_err(refusal)?.with_limits(limits);
    let colour = pages.colortype().map_err(refusal)?;
    Ok((pages, colour))
}

/// The file as the decoder takes it: with a palette declared as gray.
struct Readable<'a> {
    bytes: Cow<'a, [u8]>,
    has_palette: bool,
}

impl<'a> Readable<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        const PALETTE: u16 = 3;
        const BLACK_IS_ZERO: u16 = 1;
        let Some((place, PALETTE, little)) = photometric(bytes) else {
            return Self { bytes: Cow::Borrowed(bytes), has_palette: false };
        };
        let mut bytes = bytes.to_vec();
        let value = if little { BLACK_IS_ZERO.to_le_bytes() } else { BLACK_IS_ZERO.to_be_bytes() };
        bytes[place..place + 2].copy_from_slice(&value);
        Self { bytes: Cow::Owned(bytes), has_palette: true }
    }
}

/// Where the first directory says how colours are meant, what it says, and whether bytes are little end first.
/// Source: TIFF 6.0, section 2; tag 262. Not for BigTIFF.
fn photometric(bytes: &[u8]) -> Option<(usize, u16, bool)> {
    let little = bytes.starts_with(b"II*\0");
    let short = |place| at(bytes, place).map(if little { u16::from_le_bytes } else { u16::from_be_bytes });
    let long = |place| at(bytes, place).map(if little { u32::from_le_bytes } else { u32::from_be_bytes });
    let directory = long(4)? as usize;
    let entries = usize::from(short(directory)?);
    let entry = (0..entries).map(|index| directory + 2 + 12 * index).find(|entry| short(*entry) == Some(262))?;
    Some((entry + 8, short(entry + 8)?, little))
}

/// What the first directory declares.
pub(super) fn declared(bytes: &[u8]) -> Result<Declared, DecodeError> {
    let readable = Readable::new(bytes);
    let (mut pages, colour) = open(&readable.bytes)?;
    let (width, height) = pages.dimensions().map_err(refusal)?;
    let mode = match colour {
        ColorType::Gray(_) if readable.has_palette => Mode::Palette,
        ColorType::Gray(_) => Mode::Gray,
        ColorType::GrayA(_) => Mode::GrayAlpha,
        ColorType::RGB(_) | ColorType::YCbCr(_) => Mode::Rgb,
        ColorType::RGBA(_) => Mode::Rgba,
        ColorType::CMYK(_) => Mode::Cmyk,
        other => return Err(DecodeError::Feature { format: FORMAT, feature: format!("{other:?} colours") }),
    };
    let orientation = pages.find_tag_unsigned::<u32>(Tag::Orientation).ok().flatten();
    Ok(Declared {
        height: height.into(),
        width: width.into(),
        mode,
        bits: colour.bit_depth(),
        animated: pages.more_images(),
        orientation: orientation.and_then(Orientation::from_tag),
    })
}

/// Decodes the first page.
pub(super) fn decode(bytes: &[u8], facts: Facts, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    let readable = Readable::new(bytes);
    let (mut pages, colour) = open(&readable.bytes)?;
    let mut limits = tiff::decoder::Limits::default();
    let allocation = usize::try_from(options.limits.allocation()).unwrap_or(usize::MAX);
    (limits.decoding_buffer_size, limits.intermediate_buffer_size) = (allocation, allocation);
    limits.ifd_value_size = bytes.len().max(1024);
    pages = pages.with_limits(limits);
    let mut samples = DecodingResult::U8(Vec::new());
    let layout = pages.read_image_to_buffer(&mut samples).map_err(refusal)?;
    let size = facts.stored_size;
    let (count, width) = (size.area() as usize, size.width() as usize);
    let mut samples = match samples {
        DecodingResult::U8(samples) if colour.bit_depth() < 8 => spread(&samples, width, colour, readable.has_palette)?,
        DecodingResult::U8(samples) => samples,
        DecodingResult::U16(samples) => samples.into_iter().map(|sample| (sample >> 8) as u8).collect(),
        _ => {
            let feature = "signed or floating-point samples or samples of 32 bits".to_owned();
            return Err(DecodeError::Feature { format: FORMAT, feature });
        }
    };
    if layout.planes > 1 {
        samples = interleave(&samples, layout.planes, count);
    }
    let pixels = match colour {
        ColorType::Gray(_) if readable.has_palette => painted(&samples, &mut pages)?,
        ColorType::Gray(_) => gray(&samples),
        ColorType::GrayA(_) => over::<2, 1>(samples, options.background),
        ColorType::RGB(_) => samples,
        ColorType::RGBA(_) => over::<4, 1>(samples, options.background),
        ColorType::CMYK(_) => printed(&samples),
        _ => samples.as_chunks().0.iter().flat_map(|[luma, blue, red]| ycc_to_rgb(*luma, *blue, *red)).collect(),
    };
    let picture = Picture::new(size, pixels).ok_or(DecodeError::CutOff { format: FORMAT })?;
    Ok(Decoded { picture, facts })
}

/// Packed samples of one channel to one byte each: gray to the full range, an index as it is.
fn spread(packed: &[u8], width: usize, colour: ColorType, indices: bool) -> Result<Vec<u8>, DecodeError> {
    let bits = usize::from(colour.bit_depth());
    let scale = match colour {
        ColorType::Gray(1 | 2 | 4) if indices => 1,
        ColorType::Gray(1 | 2 | 4) => 255 / ((1u8 << bits) - 1),
        other => return Err(DecodeError::Feature { format: FORMAT, feature: format!("{other:?} samples") }),
    };
    let mut samples = Vec::with_capacity(packed.len() * 8 / bits);
    for row in packed.chunks(width.div_ceil(8 / bits)) {
        let sample = |x: usize| (row[x * bits / 8] << (x * bits % 8)) >> (8 - bits);
        samples.extend((0..width.min(row.len() * 8 / bits)).map(|x| sample(x) * scale));
    }
    Ok(samples)
}

/// Planes one after the other to pixels.
fn interleave(planes: &[u8], count: usize, area: usize) -> Vec<u8> {
    let place = |pixel| (0..count).map(move |plane| plane * area + pixel);
    (0..area).flat_map(place).map(|place| planes.get(place).copied().unwrap_or(0)).collect()
}

/// Indices to colours. The table has 16 bits a channel: all reds, all greens, all blues.
fn painted(indices: &[u8], pages: &mut Pages<'_>) -> Result<Vec<u8>, DecodeError> {
    let table = pages.get_tag_u16_vec(Tag::ColorMap).map_err(refusal)?;
    let colours = table.len() / 3;
    let channel = |index: u8, channel: usize| {
        let place = usize::from(index);
        if place < colours { (table[channel * colours + place] >> 8) as u8 } else { 0 }
    };
    Ok(indices.iter().flat_map(|index| [0, 1, 2].map(|place| channel(*index, place))).collect())
}

/// Inks, 255 is full, to RGB.
fn printed(inks: &[u8]) -> Vec<u8> {
    let light =
        |[cyan, magenta, yellow, black]: &[u8; 4]| [*cyan, *magenta, *yellow].map(|ink| through_ink(ink, 255 - black));
    inks.as_chunks().0.iter().flat_map(light).collect()
}

/// Sorts a foreign error: cut off, a feature, or damaged.
fn refusal(error: TiffError) -> DecodeError {
    match error {
        TiffError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::CutOff { format: FORMAT }
        }
        TiffError::UnsupportedError(error) => {
            DecodeError::Feature { format: FORMAT, feature: error.to_string().trim_end_matches('.').to_owned() }
        }
        TiffError::FormatError(error) => DecodeError::damaged(FORMAT, error),
        other => DecodeError::damaged(FORMAT, other),
    }
}
