use std::sync::Arc;

use avizor_base::{Filter, ImageSize, JpegDecoding, Purpose, ResizeRule, Seed};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::*;
use crate::decode::{CutOff, Orientation};
use crate::tests_support::{noise_png, write};
use crate::{DataOptions, Index, Prepared, scan};

fn size(height: u32, width: u32) -> ImageSize {
    ImageSize::new(height, width).unwrap()
}

/// Slopes, waves of several lengths and an edge, somewhat like a photograph's.
fn photo(size: ImageSize) -> Picture {
    let (height, width) = (f64::from(size.height()), f64::from(size.width()));
    let mut picture = Picture::filled(size, [0; 3]);
    for (place, colour) in picture.colours_mut().iter_mut().enumerate() {
        let (y, x) = (place as f64 / width, place as f64 % width);
        let (v, u) = (y.floor() / height, x / width);
        let waves = |phase: f64| 40.0 * (9.0 * u + phase).sin() + 30.0 * (14.0 * v + 5.0 * u - phase).cos();
        let edge = if u + 0.6 * v > 0.9 { 50.0 } else { 0.0 };
        *colour = [0.0, 1.0, 2.0].map(|phase| (100.0 + 30.0 * u + edge + waves(phase)) as u8);
    }
    picture
}

fn jpeg(picture: &Picture, sampling: Subsamp, progressive: bool) -> Vec<u8> {
    let (width, height) = (picture.size().width() as usize, picture.size().height() as usize);
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(90).unwrap();
    compressor.set_subsamp(sampling).unwrap();
    compressor.set_progressive(progressive).unwrap();
    let pixels = picture.pixels();
    compressor.compress_to_vec(Image { pixels, width, pitch: 3 * width, height, format: PixelFormat::RGB }).unwrap()
}

fn prepared(bytes: &[u8], rule: &Preprocess) -> Result<Picture, DecodeError> {
    let mut picture = Picture::filled(rule.size, [9; 3]);
    prepare_into(bytes, &DecodeOptions::default(), rule, &mut Resizer::new(), picture.pixels_mut())?;
    Ok(picture)
}

/// How far what is decoded scaled lies from what is decoded exactly: grey levels, on average and at most.
fn distance(bytes: &[u8], exact: &Preprocess) -> (f64, u8) {
    let scaled = Preprocess { jpeg: JpegDecoding::Scaled, ..exact.clone() };
    let [one, other] = [exact, &scaled].map(|rule| prepared(bytes, rule).unwrap());
    let apart: Vec<u8> = one.pixels().iter().zip(other.pixels()).map(|(one, other)| one.abs_diff(*other)).collect();
    let mean = apart.iter().map(|apart| f64::from(*apart)).sum::<f64>() / apart.len() as f64;
    (mean, apart.into_iter().max().unwrap_or_default())
}

#[test]
fn scaled_is_exact_but_for_a_few_grey_levels() {
    /// Found: 1.2 and 13, both at the edge.
    const MEAN: f64 = 1.5;
    const MOST: u8 = 15;
    let samplings = [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Gray];
    for from in [size(375, 500), size(487, 641), size(1283, 1603), size(200, 90), size(9, 7), size(33, 1000)] {
        for (number, sampling) in samplings.into_iter().enumerate() {
            let bytes = jpeg(&photo(from), sampling, number % 2 == 1);
            for to in [size(160, 160), size(60, 80), size(29, 31)] {
                for resize in [ResizeRule::Squash, ResizeRule::Crop, ResizeRule::Pad] {
                    for filter in [Filter::Bilinear, Filter::Lanczos] {
                        let rule = Preprocess { resize, filter, ..Preprocess::new(to) };
                        let (mean, most) = distance(&bytes, &rule);
                        let what = format!("{from} {sampling:?} to {to}, {resize:?}, {filter:?}");
                        assert!(mean < MEAN && most <= MOST, "{what}: {mean} on average, at most {most}");
                    }
                }
            }
        }
    }
}

/// The steepest slope, of sides that no shrinking divides: where a shrunk picture lies must be known to a part of its pixels.
#[test]
fn scaled_pictures_lie_where_exact_ones_do() {
    // Of 161 pixels the last is an eighth full: were they taken for the whole, a ramp would be a grey level off on average.
    for (from, mean_bound, most_bound) in [(size(1281, 1287), 0.15, 1), (size(643, 325), 0.5, 2)] {
        let mut ramp = Picture::filled(from, [0; 3]);
        for (place, colour) in ramp.colours_mut().iter_mut().enumerate() {
            let (y, x) = (place as u32 / from.width(), place as u32 % from.width());
            *colour = [x * 255 / from.width(), y * 255 / from.height(), 128].map(|value| value as u8);
        }
        let bytes = jpeg(&ramp, Subsamp::None, false);
        for tag in 1..=8u8 {
            let exif =
                [b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &[tag, 0, 0, 0][..], &[0; 4]];
            let bytes = [&bytes[..2], &exif.concat(), &bytes[2..]].concat();
            let facts = crate::probe(&bytes, &Default::default()).unwrap();
            assert_eq!(Some(facts.orientation), Orientation::from_tag(tag.into()));
            for resize in [ResizeRule::Squash, ResizeRule::Crop, ResizeRule::Pad] {
                let rule = Preprocess { resize, ..Preprocess::new(size(40, 40)) };
                let (mean, most) = distance(&bytes, &rule);
                let what = format!("{from}, orientation {tag}, {resize:?}");
                assert!(mean < mean_bound && most <= most_bound, "{what}: {mean} on average, at most {most}");
            }
        }
    }
}

#[test]
fn what_libjpeg_does_not_decode_is_what_it_always_was() {
    let exact = Preprocess::new(size(5, 6));
    let [libjpeg, scaled] =
        [JpegDecoding::Libjpeg, JpegDecoding::Scaled].map(|jpeg| Preprocess { jpeg, ..exact.clone() });
    let whole = jpeg(&photo(size(40, 50)), Subsamp::Sub2x2, false);
    let cmyk = include_bytes!("../../tests/golden/tiny_cmyk.jpg");
    let png = noise_png(40, 50, 3);
    let mut damaged = whole.clone();
    let middle = damaged.len() * 3 / 4;
    damaged[middle..middle + 12].fill(0xaa);
    for bytes in [&whole[..whole.len() - 2], &whole[..whole.len() / 2], cmyk, &png, b"\xff\xd8\xff", b"", &damaged] {
        let exactly = prepared(bytes, &exact);
        assert_eq!([prepared(bytes, &libjpeg), prepared(bytes, &scaled)], [exactly.clone(), exactly]);
    }
    let options = DecodeOptions { cut_off: CutOff::Keep, ..DecodeOptions::default() };
    let mut kept = [0; 90];
    prepare_into(&whole[..whole.len() / 2], &options, &scaled, &mut Resizer::new(), &mut kept).unwrap();
    assert!(kept.iter().any(|value| *value != 0));
}

#[test]
fn changed_bytes_do_no_harm() {
    let rule = Preprocess { jpeg: JpegDecoding::Scaled, ..Preprocess::new(size(5, 6)) };
    for progressive in [false, true] {
        let whole = jpeg(&photo(size(40, 50)), Subsamp::Sub2x2, progressive);
        for number in 0..500 {
            let mut bytes = whole.clone();
            let mut stream = Seed(number).stream(Purpose::Augment, [0; 3]);
            for _ in 0..3 {
                let place = stream.below(bytes.len() as u64) as usize;
                bytes[place] = stream.below(256) as u8;
            }
            // A picture or an error, whatever it is, in the time that it takes.
            let _ = prepared(&bytes, &rule);
        }
    }
}

#[test]
fn a_scan_sees_pictures_exactly_and_keeps_what_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = jpeg(&photo(size(40, 50)), Subsamp::Sub2x2, false);
    write(folder.path(), "photos/a/1.jpg", &bytes);
    write(folder.path(), "photos/b/2.png", &noise_png(9, 7, 1));
    let index = Arc::new(Index::read(&DataOptions::new(folder.path().join("photos"))).unwrap());
    let exact = Preprocess::new(size(5, 6));
    let scaled = Preprocess { jpeg: JpegDecoding::Scaled, ..exact.clone() };
    let read = |rule: &Preprocess, budget: u64| {
        let kept = Prepared::new(Arc::clone(&index), rule.clone(), Default::default(), budget);
        let seen = scan(&index, &kept.decode_options(), 1, Some(&kept), |_| {});
        (seen, [0, 1].map(|row| kept.picture(row).unwrap()))
    };
    let (seen, loaded) = read(&scaled, 1 << 20);
    assert_eq!((seen.clone(), loaded.clone()), read(&scaled, 0));
    let (seen_exactly, loaded_exactly) = read(&exact, 1 << 20);
    assert_eq!(seen, seen_exactly);
    assert_eq!(loaded[0], prepared(&bytes, &scaled).unwrap());
    assert!(loaded[0] != loaded_exactly[0] && loaded[1] == loaded_exactly[1]);
}
