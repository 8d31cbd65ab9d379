//! Size, mode, frames and orientation from headers, without decoding.

use super::orientation::Orientation;
use super::{DecodeError, Facts, Format, Limits, Mode, jpeg, tiff};

/// What a header declares, not yet checked against limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared {
    pub(super) height: u64,
    pub(super) width: u64,
    pub(super) mode: Mode,
    pub(super) bits: u8,
    pub(super) animated: bool,
    pub(super) orientation: Option<Orientation>,
}

/// Reads the header of a format and checks the size it declares.
pub(super) fn read(format: Format, bytes: &[u8], limits: &Limits) -> Result<Facts, DecodeError> {
    let declared = match format {
        Format::Jpeg => jpeg::declared(bytes)?,
        Format::Tiff => tiff::declared(bytes)?,
        Format::Png => {
            check_png_methods(bytes)?;
            png(bytes).ok_or(DecodeError::CutOff { format })?
        }
        Format::Gif => gif(bytes).ok_or(DecodeError::CutOff { format })?,
        Format::WebP => webp(bytes).ok_or(DecodeError::CutOff { format })?,
        Format::Bmp => bmp(bytes).ok_or(DecodeError::CutOff { format })?,
    };
    Ok(Facts {
        format,
        mode: declared.mode,
        bits: declared.bits,
        stored_size: limits.check_size(format, declared.height, declared.width)?,
        animated: declared.animated,
        orientation: declared.orientation.unwrap_or_default(),
        truncated: false,
        damaged: false,
    })
}

/// The bytes at a place, `None` past the end.
pub(super) fn at<const N: usize>(bytes: &[u8], place: usize) -> Option<[u8; N]> {
    bytes.get(place..)?.first_chunk().copied()
}

/// Orientation from EXIF, else from XMP: the order in which Pillow looks.
pub(super) fn orientation(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Option<Orientation> {
    exif.and_then(Orientation::from_exif).or_else(|| xmp.and_then(Orientation::from_xmp))
}

/// Compression has one legal method, in the header and in a colour profile, and so has the filter; the decoder does not
/// look at all of them.
fn check_png_methods(bytes: &[u8]) -> Result<(), DecodeError> {
    let fault = |what: &str, method: u8| Err(DecodeError::damaged(Format::Png, format!("{what} {method} is unknown")));
    if let Some([compression, filter]) = at(bytes, 26) {
        if compression != 0 {
            return fault("compression method", compression);
        }
        if filter != 0 {
            return fault("filter method", filter);
        }
    }
    for (kind, body) in png_chunks(bytes) {
        if &kind != b"iCCP" {
            continue;
        }
        let name = body.iter().position(|byte| *byte == 0);
        if let Some(method @ 1..) = name.and_then(|name| body.get(name + 1).copied()) {
            return fault("the colour profile's compression method", method);
        }
    }
    Ok(())
}

/// Kind and body of each chunk that is whole, up to the end chunk.
fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = at(rest, 0).map(u32::from_be_bytes)? as usize;
        let kind = at::<4>(rest, 4).filter(|kind| kind != b"IEND")?;
        let body = rest.get(8..)?.get(..length)?;
        rest = rest.get(12 + length..).unwrap_or_default();
        Some((kind, body))
    })
}

/// Source: PNG specification, third edition, 11.2 to 11.3.
fn png(bytes: &[u8]) -> Option<Declared> {
    let [width, height] = [16, 20].map(|place| at(bytes, place).map(u32::from_be_bytes));
    let [bits, colour] = at(bytes, 24)?;
    let (mut exif, mut xmp, mut animated, mut transparent) = (None, None, false, false);
    for (kind, body) in png_chunks(bytes) {
        match &kind {
            b"eXIf" => exif = exif.or(Some(body)),
            b"iTXt" if body.starts_with(b"XML:com.adobe.xmp\0\0") => xmp = xmp.or(Some(body)),
            b"acTL" => animated |= at(body, 0).map(u32::from_be_bytes) > Some(1),
            b"tRNS" => transparent = true,
            _ => {}
        }
    }
    let mode = match (colour, transparent) {
        (0, false) => Mode::Gray,
        (0, true) | (4, _) => Mode::GrayAlpha,
        (3, _) => Mode::Palette,
        (2, true) | (6, _) => Mode::Rgba,
        _ => Mode::Rgb,
    };
    let orientation = orientation(exif, xmp);
    Some(Declared { height: height?.into(), width: width?.into(), mode, bits, animated, orientation })
}

/// Source: GIF89a specification, 17 to 23.
fn gif(bytes: &[u8]) -> Option<Declared> {
    let [width, height] = [6, 8].map(|place| at(bytes, place).map(u16::from_le_bytes));
    let animated = gif_frames(bytes, 2).unwrap_or(0) > 1;
    let (height, width) = (height?.into(), width?.into());
    Some(Declared { height, width, mode: Mode::Palette, bits: 8, animated, orientation: None })
}

/// Counts frames, up to `enough`. `None` where the blocks end early and fewer were seen.
fn gif_frames(bytes: &[u8], enough: usize) -> Option<usize> {
    let table = |packed: u8| if packed & 0x80 != 0 { 3 << ((packed & 7) + 1) } else { 0 };
    let mut place = 13 + table(*bytes.get(10)?);
    let mut frames = 0;
    while frames < enough {
        match *bytes.get(place)? {
            0x21 => place += 2,
            0x2c => {
                frames += 1;
                place += 11 + table(*bytes.get(place + 9)?);
            }
            _ => break,
        }
        loop {
            let length = usize::from(*bytes.get(place)?);
            place += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
    Some(frames)
}

/// Source: RFC 9649, WebP container.
fn webp(bytes: &[u8]) -> Option<Declared> {
    let (mut size, mut alpha, mut animated) = (None, false, false);
    let (mut exif, mut xmp) = (None, None);
    let mut rest = bytes.get(12..)?;
    while let (Some(kind), Some(length)) = (at::<4>(rest, 0), at(rest, 4).map(u32::from_le_bytes)) {
        let body = &rest[8..];
        let body = &body[..body.len().min(length as usize)];
        match &kind {
            b"VP8X" => {
                let flags = *body.first()?;
                alpha |= flags & 0x10 != 0;
                animated |= flags & 0x02 != 0;
                let side = |place| Some(1 + u64::from(u32::from_le_bytes(at::<4>(body, place)?) & 0x00ff_ffff));
                // The height is the last three bytes of ten: read from one byte before, the low byte dropped.
                let height = 1 + u64::from(u32::from_le_bytes(at(body, 6)?) >> 8);
                size = size.or(Some((height, side(4)?)));
            }
            b"VP8 " => {
                let side = |place| Some(u64::from(u16::from_le_bytes(at(body, place)?) & 0x3fff));
                size = size.or(Some((side(8)?, side(6)?)));
            }
            b"VP8L" => {
                let packed = u32::from_le_bytes(at(body, 1)?);
                let side = |shift: u32| 1 + u64::from((packed >> shift) & 0x3fff);
                alpha |= packed & (1 << 28) != 0;
                size = size.or(Some((side(14), side(0))));
            }
            b"EXIF" => exif = exif.or(Some(body)),
            b"XMP " => xmp = xmp.or(Some(body)),
            _ => {}
        }
        let skipped = 8 + length as usize + (length as usize & 1);
        rest = rest.get(skipped..).unwrap_or_default();
    }
    let (height, width) = size?;
    let mode = if alpha { Mode::Rgba } else { Mode::Rgb };
    Some(Declared { height, width, mode, bits: 8, animated, orientation: orientation(exif, xmp) })
}

/// Source: Microsoft, BITMAPCOREHEADER and BITMAPV5HEADER; a negative height is a picture from the top.
fn bmp(bytes: &[u8]) -> Option<Declared> {
    let (width, height, depth) = if u32::from_le_bytes(at(bytes, 14)?) == 12 {
        let side = |place| at(bytes, place).map(u16::from_le_bytes).map(i64::from);
        (side(18)?, side(20)?, at(bytes, 24).map(u16::from_le_bytes)?)
    } else {
        let side = |place| at(bytes, place).map(i32::from_le_bytes).map(i64::from);
        (side(18)?, side(22)?, at(bytes, 28).map(u16::from_le_bytes)?)
    };
    let (mode, bits) = match depth {
        1 | 2 | 4 | 8 => (Mode::Palette, depth as u8),
        16 => (Mode::Rgb, 5),
        _ => (Mode::Rgb, 8),
    };
    // A negative width is refused like one of zero.
    let (height, width) = (height.unsigned_abs(), width.max(0).unsigned_abs());
    Some(Declared { height, width, mode, bits, animated: false, orientation: None })
}
