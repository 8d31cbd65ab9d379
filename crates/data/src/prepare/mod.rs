//! From a file's bytes to a picture at a network's size, by a [`Preprocess`].

use avizor_base::Preprocess;

use crate::decode::{self, DecodeError, DecodeOptions};
use crate::picture_file::{self, Place, Unreadable};
use crate::{Picture, Resizer};

/// Reads a file as the picture that a network sees.
///
/// # Errors
/// The file system says no, the bytes are no picture within the limits, or [`DecodeError::WithoutTurbojpeg`].
pub fn read_prepared(place: Place<'_>, options: &DecodeOptions, rule: &Preprocess) -> Result<Picture, Unreadable> {
    let mut bytes = Vec::new();
    picture_file::read(place, &options.limits, &mut bytes)?;
    let mut picture = Picture::filled(rule.size, [0; 3]);
    prepare_into(&bytes, options, rule, &mut Resizer::new(), picture.pixels_mut())?;
    Ok(picture)
}

/// The same of a file's bytes, into the caller's.
///
/// # Panics
/// When `output` is not `3 · height · width` bytes long.
pub(crate) fn prepare_into(
    bytes: &[u8],
    options: &DecodeOptions,
    rule: &Preprocess,
    resizer: &mut Resizer,
    output: &mut [u8],
) -> Result<(), DecodeError> {
    if !rule.jpeg.is_exact() && prepared_by_libjpeg(bytes, options, rule, resizer, output)? {
        return Ok(());
    }
    let decoded = decode::decode(bytes, options)?;
    resizer.resize_into(&decoded.picture, rule, output);
    Ok(())
}

/// Whether it is a JPEG that libjpeg-turbo decodes; then it was.
#[cfg(feature = "turbojpeg")]
fn prepared_by_libjpeg(
    bytes: &[u8],
    options: &DecodeOptions,
    rule: &Preprocess,
    resizer: &mut Resizer,
    output: &mut [u8],
) -> Result<bool, DecodeError> {
    let by =
        |size| if rule.jpeg == avizor_base::JpegDecoding::Scaled { crate::resize::shrinks_by(size, rule) } else { 1 };
    let shrunk = decode::decode_by_libjpeg(bytes, options, by);
    if let Some((picture, extent)) = &shrunk {
        resizer.resize_shrunk_into(picture, *extent, rule, output);
    }
    Ok(shrunk.is_some())
}

/// Never: this program has no libjpeg-turbo.
#[cfg(not(feature = "turbojpeg"))]
fn prepared_by_libjpeg(
    _: &[u8],
    _: &DecodeOptions,
    rule: &Preprocess,
    _: &mut Resizer,
    _: &mut [u8],
) -> Result<bool, DecodeError> {
    Err(DecodeError::WithoutTurbojpeg(rule.jpeg))
}

#[cfg(test)]
#[cfg(feature = "turbojpeg")]
mod tests;

#[cfg(test)]
#[cfg(not(feature = "turbojpeg"))]
mod tests {
    use avizor_base::{ImageSize, JpegDecoding};

    use super::*;
    use crate::tests_support::JPEG;

    #[test]
    fn what_the_program_cannot_decode_so_is_not_decoded_otherwise() {
        let mut rule = Preprocess::new(ImageSize::new(2, 2).unwrap());
        let read =
            |rule: &Preprocess| prepare_into(JPEG, &DecodeOptions::default(), rule, &mut Resizer::new(), &mut [0; 12]);
        assert_eq!(read(&rule), Ok(()));
        for jpeg in [JpegDecoding::Libjpeg, JpegDecoding::Scaled] {
            rule.jpeg = jpeg;
            assert_eq!(read(&rule), Err(DecodeError::WithoutTurbojpeg(jpeg)));
        }
    }
}
