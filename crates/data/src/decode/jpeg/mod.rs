//! JPEG: declared size and mode from the markers, pixels from zune-jpeg, or from libjpeg-turbo where that is asked for.

mod inks;
#[cfg(feature = "turbojpeg")]
pub(super) mod libjpeg;
mod markers;
mod separate;

use avizor_base::ImageSize;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::header::{Declared, orientation};
use super::{CutOff, DecodeError, DecodeOptions, Decoded, Facts, Format, Mode};
use crate::Picture;
use inks::Inks;
pub(super) use inks::{through_ink, ycc_to_rgb};
use separate::Channel;

const FORMAT: Format = Format::Jpeg;

/// What the markers declare.
pub(super) fn declared(bytes: &[u8]) -> Result<Declared, DecodeError> {
    let markers = markers::walk(bytes);
    let frame = markers.frame.ok_or(DecodeError::CutOff { format: FORMAT })?;
    let feature = |feature: &str| Err(DecodeError::Feature { format: FORMAT, feature: feature.to_owned() });
    match frame.marker {
        0xc0..=0xc2 => {}
        0xc3 | 0xc7 | 0xcb | 0xcf => return feature("lossless coding"),
        0xc5 | 0xc6 | 0xcd | 0xce => return feature("hierarchical coding"),
        _ => return feature("arithmetic coding"),
    }
    if frame.precision != 8 {
        return feature(&format!("{} bits a channel", frame.precision));
    }
    let mode = match (frame.components, markers.adobe_transform) {
        (1, _) => Mode::Gray,
        (3, _) => Mode::Rgb,
        (4, Some(2)) => Mode::Ycck,
        (4, _) => Mode::Cmyk,
        (count, _) => return Err(DecodeError::damaged(FORMAT, format!("it declares {count} channels"))),
    };
    Ok(Declared {
        height: frame.height.into(),
        width: frame.width.into(),
        mode,
        bits: frame.precision,
        animated: markers.picture_index.is_some_and(names_many_pictures),
        orientation: orientation(markers.exif, markers.xmp),
    })
}

/// Whether the index of a file of several pictures can be read and counts more than one. Source: CIPA DC-007, 5.2.3.
fn names_many_pictures(index: &[u8]) -> bool {
    const NUMBER_OF_IMAGES: exif::Tag = exif::Tag(exif::Context::Tiff, 0xb001);
    let fields = exif::Reader::new().read_raw(index.to_vec());
    let count = |fields: exif::Exif| fields.get_field(NUMBER_OF_IMAGES, exif::In::PRIMARY)?.value.get_uint(0);
    fields.ok().and_then(count).is_some_and(|count| count > 1)
}

/// Decodes strictly, and where that fails with the decoder that forgives.
pub(super) fn decode(bytes: &[u8], facts: Facts, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    let truncated = !markers::walk(bytes).end;
    if truncated && options.cut_off == CutOff::Refuse {
        return Err(DecodeError::CutOff { format: FORMAT });
    }
    if let (Mode::Rgb, Some(channels)) = (facts.mode, separate::channels(bytes)) {
        return assembled(&channels, facts, options);
    }
    let strict = pixels(bytes, &facts, options, Strictness::Strict);
    let damaged = strict.is_err();
    let (size, pixels) = strict.or_else(|_| pixels(bytes, &facts, options, Strictness::Lax))?;
    let picture = Picture::new(size, pixels).ok_or_else(|| DecodeError::damaged(FORMAT, "its size contradicts"))?;
    Ok(Decoded { picture, facts: Facts { stored_size: size, truncated, damaged, ..facts } })
}

/// A picture from its channels, each decoded by itself. Coarse samples are repeated, not interpolated.
fn assembled(channels: &[Channel], facts: Facts, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    let mut planes = Vec::new();
    for channel in channels {
        let gray = Facts { mode: Mode::Gray, ..facts };
        let (size, pixels) = pixels(&channel.jpeg, &gray, options, Strictness::Strict)?;
        planes.push((channel, size.width() as usize, pixels));
    }
    let size = facts.stored_size;
    let mut picture = Picture::filled(size, [0; 3]);
    let width = size.width() as usize;
    for (y, row) in picture.colours_mut().chunks_exact_mut(width).enumerate() {
        for (x, colour) in row.iter_mut().enumerate() {
            let sample = |(channel, width, pixels): &(&Channel, usize, Vec<u8>)| {
                let place = channel.place(1, y) * width + channel.place(0, x);
                pixels.get(3 * place).copied().unwrap_or_default()
            };
            let [luma, blue, red] = &planes[..] else { continue };
            *colour = ycc_to_rgb(sample(luma), sample(blue), sample(red));
        }
    }
    Ok(Decoded { picture, facts })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Strict,
    Lax,
}

/// RGB pixels by zune-jpeg.
fn pixels(
    bytes: &[u8],
    facts: &Facts,
    options: &DecodeOptions,
    strictness: Strictness,
) -> Result<(ImageSize, Vec<u8>), DecodeError> {
    let fail = |error: zune_jpeg::errors::DecodeErrors| DecodeError::damaged(FORMAT, error);
    let settings = DecoderOptions::default()
        .set_strict_mode(strictness == Strictness::Strict)
        .set_max_width(options.limits.max_side as usize)
        .set_max_height(options.limits.max_side as usize);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), settings);
    decoder.decode_headers().map_err(fail)?;
    let info = decoder.info().ok_or_else(|| DecodeError::damaged(FORMAT, "it has no header"))?;
    // The decoder may see another frame header than our walk did: its size is checked too.
    let size = options.limits.check_size(FORMAT, info.height.into(), info.width.into())?;
    let inks = match (info.components, facts.mode) {
        (4, Mode::Ycck) => Some(Inks::Ycck),
        (4, _) => Some(Inks::Cmyk),
        _ => None,
    };
    // Four channels come out as they are stored, for our own conversion: asking for the stored space does that.
    let space = match inks {
        Some(_) => decoder.input_colorspace().unwrap_or(ColorSpace::CMYK),
        None => ColorSpace::RGB,
    };
    decoder.set_options(settings.jpeg_set_out_colorspace(space));
    let count = decoder.output_buffer_size().ok_or_else(|| DecodeError::damaged(FORMAT, "it has no size"))?;
    let mut samples = vec![0; count];
    decoder.decode_into(&mut samples).map_err(fail)?;
    let pixels = match inks {
        Some(inks) => inks::to_rgb(samples, inks),
        None => samples,
    };
    Ok((size, pixels))
}
