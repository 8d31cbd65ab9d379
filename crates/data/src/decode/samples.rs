//! PNG, GIF, WebP and BMP through the `image` crate, and any samples to RGB over a background.

use std::io::Cursor;

use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::error::ImageError;
use image::{ColorType, ImageDecoder};

use super::{DecodeError, DecodeOptions, Decoded, Facts, Format};
use crate::Picture;

/// Decodes one of the formats whose reader is in the `image` crate.
pub(super) fn decode(bytes: &[u8], facts: Facts, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    let format = facts.format;
    let fail = |error| refusal(format, &error);
    let source = Cursor::new(bytes);
    match format {
        Format::Png => {
            let mut limits = image::Limits::no_limits();
            limits.max_alloc = Some(options.limits.allocation());
            read(PngDecoder::with_limits(source, limits).map_err(fail)?, facts, options)
        }
        Format::Gif => read(GifDecoder::new(source).map_err(fail)?, facts, options),
        Format::WebP => read(WebPDecoder::new(source).map_err(fail)?, facts, options),
        _ => read(BmpDecoder::new(source).map_err(fail)?, facts, options),
    }
}

fn read(mut decoder: impl ImageDecoder, facts: Facts, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    let format = facts.format;
    let fail = |error| refusal(format, &error);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(options.limits.allocation());
    decoder.set_limits(limits).map_err(fail)?;
    let (width, height) = decoder.dimensions();
    // The decoder may see another size than our reading of the header did.
    let size = options.limits.check_size(format, height.into(), width.into())?;
    let colour = decoder.color_type();
    let mut samples = vec![0; usize::try_from(decoder.total_bytes()).unwrap_or(0)];
    decoder.read_image(&mut samples).map_err(fail)?;
    let pixels = match colour {
        ColorType::L8 => gray(&samples),
        ColorType::L16 => gray(&upper(&samples)),
        ColorType::La8 => over::<2, 1>(samples, options.background),
        ColorType::La16 => over::<2, 2>(samples, options.background),
        ColorType::Rgb8 => samples,
        ColorType::Rgb16 => upper(&samples),
        ColorType::Rgba8 => over::<4, 1>(samples, options.background),
        ColorType::Rgba16 => over::<4, 2>(samples, options.background),
        other => {
            return Err(DecodeError::Feature { format, feature: format!("{other:?} samples") });
        }
    };
    let picture = Picture::new(size, pixels).ok_or_else(|| DecodeError::damaged(format, "its size contradicts"))?;
    Ok(Decoded { picture, facts: Facts { stored_size: size, ..facts } })
}

/// Sorts a foreign error: cut off, too large, or damaged.
fn refusal(format: Format, error: &ImageError) -> DecodeError {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|error| error.kind() == std::io::ErrorKind::UnexpectedEof) {
            return DecodeError::CutOff { format };
        }
        cause = error.source();
    }
    match error {
        ImageError::Unsupported(error) => DecodeError::Feature { format, feature: error.kind_text() },
        ImageError::Decoding(error) => match std::error::Error::source(error) {
            Some(source) => DecodeError::damaged(format, source),
            None => DecodeError::damaged(format, error),
        },
        other => DecodeError::damaged(format, other),
    }
}

/// The feature's name alone: the whole sentence repeats the format.
trait KindText {
    fn kind_text(&self) -> String;
}

impl KindText for image::error::UnsupportedError {
    fn kind_text(&self) -> String {
        match self.kind() {
            image::error::UnsupportedErrorKind::GenericFeature(feature) => feature,
            _ => "a kind of pixels".to_owned(),
        }
    }
}

/// Each gray value three times.
pub(super) fn gray(samples: &[u8]) -> Vec<u8> {
    let mut pixels = vec![0; 3 * samples.len()];
    for (pixel, gray) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(samples) {
        *pixel = [*gray; 3];
    }
    pixels
}

/// The upper eight bits of 16-bit samples in this machine's byte order. Pillow keeps the same ones.
pub(super) fn upper(samples: &[u8]) -> Vec<u8> {
    samples.as_chunks().0.iter().map(|pair| (u16::from_ne_bytes(*pair) >> 8) as u8).collect()
}

/// Composites samples with alpha, the last of `CHANNELS` samples of `BYTES` bytes each, over a background, in place:
/// a picture of 100 megapixels then needs no second buffer. Rounds as Pillow's `paste` with a mask.
pub(super) fn over<const CHANNELS: usize, const BYTES: usize>(mut samples: Vec<u8>, background: [u8; 3]) -> Vec<u8> {
    let stored = CHANNELS * BYTES;
    let count = samples.len() / stored;
    if stored < 3 {
        // Growing cannot be done in place.
        let flat = samples.as_chunks::<2>().0.iter().flat_map(|[gray, alpha]| blend([*gray; 3], *alpha, background));
        return flat.collect();
    }
    for index in 0..count {
        // The upper byte of a sample in this machine's order.
        let high = if BYTES == 2 && cfg!(target_endian = "little") { 1 } else { 0 };
        let value = |channel: usize| samples[index * stored + channel * BYTES + high];
        let colour = if CHANNELS == 2 { [value(0); 3] } else { [value(0), value(1), value(CHANNELS - 2)] };
        let flat = blend(colour, value(CHANNELS - 1), background);
        samples[3 * index..3 * index + 3].copy_from_slice(&flat);
    }
    samples.truncate(3 * count);
    samples.shrink_to_fit();
    samples
}

fn blend(colour: [u8; 3], alpha: u8, background: [u8; 3]) -> [u8; 3] {
    let alpha = u32::from(alpha);
    std::array::from_fn(|channel| {
        over_255(u32::from(colour[channel]) * alpha + u32::from(background[channel]) * (255 - alpha))
    })
}

/// `round(product / 255)` for products up to 255².
pub(super) fn over_255(product: u32) -> u8 {
    let product = product + 128;
    (((product >> 8) + product) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_255_rounds_to_the_nearest() {
        for product in 0..=255 * 255u32 {
            assert_eq!(u32::from(over_255(product)), (product + 127) / 255, "{product}");
        }
    }

    #[test]
    fn alpha_shows_the_background_as_much_as_it_says() {
        assert_eq!(over::<4, 1>(vec![10, 20, 30, 255, 10, 20, 30, 0], [1, 2, 3]), [10, 20, 30, 1, 2, 3]);
        assert_eq!(over::<2, 1>(vec![100, 128], [0, 200, 255]), [50, 150, 177]);
        let wide: Vec<u8> = [100u16 << 8 | 7, 128 << 8 | 9].iter().flat_map(|value| value.to_ne_bytes()).collect();
        assert_eq!(over::<2, 2>(wide, [0, 200, 255]), [50, 150, 177]);
    }
}
