//! Bytes changed at random: whatever comes in, a picture or a reason comes out, in bounded memory.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail, and says what it skipped or counted")]

use std::io::Cursor;

use avizor_base::{ImageSize, Purpose, Seed, Stream};
use avizor_data::decode::Limits;
use avizor_data::{DecodeError, DecodeOptions, decode, probe};
use image::codecs::{bmp::BmpEncoder, gif::GifEncoder, png::PngEncoder, tiff::TiffEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder};

/// Changed files of each fixture: 130,000 in all.
const CHANGED: u64 = 10_000;
const HEIGHT: u32 = 11;
const WIDTH: u32 = 13;

/// A small picture of each format and several modes, and a name for messages.
fn fixtures() -> Vec<(&'static str, Vec<u8>)> {
    let samples = |count: u32| -> Vec<u8> { (0..count * HEIGHT * WIDTH).map(|i| (i * i % 251) as u8).collect() };
    let written = |write: &dyn Fn(&mut Cursor<Vec<u8>>)| {
        let mut bytes = Cursor::new(Vec::new());
        write(&mut bytes);
        bytes.into_inner()
    };
    let png = |channels: u32, colour: ExtendedColorType| {
        written(&|out| PngEncoder::new(out).write_image(&samples(channels), WIDTH, HEIGHT, colour).unwrap())
    };
    vec![
        ("png rgb", png(3, ExtendedColorType::Rgb8)),
        ("png rgba", png(4, ExtendedColorType::Rgba8)),
        ("png gray 16", png(2, ExtendedColorType::L16)),
        ("png rgba 16", png(8, ExtendedColorType::Rgba16)),
        (
            "gif",
            written(&|out| GifEncoder::new(out).encode(&samples(4), WIDTH, HEIGHT, ExtendedColorType::Rgba8).unwrap()),
        ),
        (
            "webp",
            written(&|out| {
                let encoder = WebPEncoder::new_lossless(out);
                encoder.write_image(&samples(4), WIDTH, HEIGHT, ExtendedColorType::Rgba8).unwrap();
            }),
        ),
        (
            "bmp",
            written(&|out| {
                BmpEncoder::new(out).write_image(&samples(3), WIDTH, HEIGHT, ExtendedColorType::Rgb8).unwrap();
            }),
        ),
        (
            "tiff",
            written(&|out| {
                TiffEncoder::new(out).write_image(&samples(3), WIDTH, HEIGHT, ExtendedColorType::Rgb8).unwrap();
            }),
        ),
        (
            "tiff gray 16",
            written(&|out| {
                TiffEncoder::new(out).write_image(&samples(2), WIDTH, HEIGHT, ExtendedColorType::L16).unwrap();
            }),
        ),
        ("jpeg", include_bytes!("golden/tiny.jpg").to_vec()),
        ("jpeg progressive", include_bytes!("golden/tiny_progressive.jpg").to_vec()),
        ("jpeg cmyk", include_bytes!("golden/tiny_cmyk.jpg").to_vec()),
        ("jpeg turned", include_bytes!("golden/tiny_turned.jpg").to_vec()),
    ]
}

/// One of: bytes replaced, bits flipped, a cut, a piece doubled, a piece removed.
fn mutate(bytes: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + stream.below(4) {
        let place = stream.below(bytes.len().max(1) as u64) as usize;
        let end = (place + 1 + stream.below(16) as usize).min(bytes.len());
        match stream.below(6) {
            0 => bytes[place..end].iter_mut().for_each(|byte| *byte = stream.next_u32() as u8),
            1 => bytes[place..end].iter_mut().for_each(|byte| *byte = 0xff),
            2 => bytes[place] ^= 1 << stream.below(8),
            3 => bytes.truncate(place.max(1)),
            4 => bytes.extend_from_within(place..end),
            _ => drop(bytes.drain(place..end)),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

#[test]
fn every_fixture_is_decoded_as_it_is() {
    for (name, bytes) in fixtures() {
        let decoded = decode(&bytes, &DecodeOptions::default()).unwrap_or_else(|error| panic!("{name} {error}"));
        let size = ImageSize::new(HEIGHT, WIDTH).unwrap();
        assert_eq!(decoded.facts.stored_size, size, "{name}");
        assert_eq!(probe(&bytes, &Limits::default()), Ok(decoded.facts), "{name}");
        assert!(!decoded.facts.animated, "{name}");
    }
}

#[test]
fn changed_bytes_give_a_picture_or_a_reason() {
    // Small limits: what a forged header declares must not be allocated, nor take time.
    let limits = Limits { max_pixels: 1 << 20, max_side: 1 << 14, max_bytes: 1 << 20 };
    let options = DecodeOptions { limits, ..DecodeOptions::default() };
    // A decoder's panic is caught; its message would only fill the log.
    std::panic::set_hook(Box::new(|_| {}));
    let outcomes = std::panic::catch_unwind(|| {
        let (mut decoded, mut refused) = (0, 0);
        for (fixture, (_, bytes)) in fixtures().into_iter().enumerate() {
            for round in 0..CHANGED {
                let mut stream = Seed(11).stream(Purpose::Subset, [fixture as u64, round, 0]);
                match decode(&mutate(&bytes, &mut stream), &options) {
                    Ok(picture) => {
                        assert!(u64::from(picture.picture.size().area()) <= limits.max_pixels);
                        decoded += 1;
                    }
                    Err(error) => {
                        let text = error.to_string();
                        assert!(!text.is_empty() && !text.contains('\n') && !text.ends_with('.'), "{text}");
                        refused += 1;
                    }
                }
            }
        }
        (decoded, refused)
    });
    drop(std::panic::take_hook());
    let (decoded, refused) = outcomes.unwrap();
    eprintln!("changed bytes: {decoded} decoded, {refused} refused");
    assert!(decoded > 100 && refused > 100);
}

#[test]
fn every_cut_of_every_format_is_refused_or_whole() {
    for (name, bytes) in fixtures() {
        for length in 0..bytes.len() {
            let outcome = decode(&bytes[..length], &DecodeOptions::default());
            // Headers may be whole long before the pixels are.
            if length < 16 {
                assert!(outcome.is_err(), "{name} cut at {length}");
            }
            if name.starts_with("jpeg") {
                assert!(outcome.is_err(), "{name} cut at {length}");
            }
        }
    }
}

#[test]
fn a_declared_size_is_refused_before_anything_is_allocated() {
    // 60,000 × 60,000 in the headers of tiny files.
    let bombs = fixtures().into_iter().filter_map(|(name, mut bytes)| {
        match name.split(' ').next()? {
            "png" => {
                bytes[16..20].copy_from_slice(&60_000u32.to_be_bytes());
                bytes[20..24].copy_from_slice(&60_000u32.to_be_bytes());
            }
            "gif" => bytes[6..10].copy_from_slice(&[0x60, 0xea, 0x60, 0xea]),
            "bmp" => {
                bytes[18..22].copy_from_slice(&60_000u32.to_le_bytes());
                bytes[22..26].copy_from_slice(&60_000u32.to_le_bytes());
            }
            "jpeg" => {
                let frame = bytes.windows(2).position(|pair| matches!(pair, [0xff, 0xc0 | 0xc2])).unwrap();
                bytes[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
            }
            _ => return None,
        }
        Some((name, bytes))
    });
    for (name, bytes) in bombs {
        let error = decode(&bytes, &DecodeOptions::default()).unwrap_err();
        assert!(matches!(error, DecodeError::TooLarge { height: 60_000, width: 60_000, .. }), "{name} {error}");
        assert_eq!(probe(&bytes, &Limits::default()), Err(error));
    }
    let limits = Limits { max_bytes: 100, ..Limits::default() };
    let large = decode(&fixtures()[0].1, &DecodeOptions { limits, ..DecodeOptions::default() });
    assert!(matches!(large, Err(DecodeError::TooManyBytes { .. })));
}
