//! JPEG by libjpeg-turbo, at its size or a part of it: of each block of 8 × 8 it computes all pixels, 4 × 4, 2 × 2 or one.

use avizor_base::ImageSize;
use turbojpeg::{Decompressor, Image, PixelFormat, ScalingFactor};

use crate::Picture;
use crate::decode::{Facts, Mode};

/// The stored picture, its sides divided by `by`, which is 1, 2, 4 or 8, and rounded up. `None` for four inks, and wherever
/// libjpeg-turbo so much as warns, be it of a missing end: the exact decoder says what is wrong.
pub(in crate::decode) fn decode(bytes: &[u8], facts: &Facts, by: u32) -> Option<Picture> {
    if !matches!(facts.mode, Mode::Gray | Mode::Rgb) {
        return None;
    }
    let factor = ScalingFactor::new(1, by as usize);
    // One for each picture: it would lend one that lacks its tables those of the picture before.
    let mut decompressor = Decompressor::new().ok()?;
    decompressor.set_scaling_factor(factor).ok()?;
    let header = decompressor.read_header(bytes).ok()?;
    let stored = facts.stored_size;
    // Limits have seen the size that our own walk found: should there be two, it is not for this decoder.
    if [header.height, header.width] != [stored.height() as usize, stored.width() as usize] {
        return None;
    }
    let size = ImageSize::new(stored.height().div_ceil(by), stored.width().div_ceil(by))?;
    let (height, width) = (size.height() as usize, size.width() as usize);
    let mut picture = Picture::filled(size, [0; 3]);
    let output = Image { pixels: picture.pixels_mut(), width, pitch: 3 * width, height, format: PixelFormat::RGB };
    decompressor.decompress(bytes, output).ok()?;
    Some(picture)
}
