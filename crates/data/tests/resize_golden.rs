//! Resizing equals Pillow 13 bit for bit: bilinear, bicubic and Lanczos; largest difference 0.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail, and says what it skipped or counted")]

mod real_data;

use avizor_base::{Filter, ImageSize, Preprocess, ResizeRule};
use avizor_data::{DecodeOptions, Picture, Resizer, decode};
use sha2::{Digest, Sha256};

/// The pictures of `scripts/golden_pictures.py`.
fn formula_picture(kind: &str, size: ImageSize) -> Option<Picture> {
    let value = |x: u32, y: u32, c: u32| match kind {
        "sharp" => Some((x * 37 + y * 101 + c * 53 + x * y * 7 + x * x * 3) as u8),
        "blocks" => Some(((x / 3 + y / 5 + c) % 2 * 255) as u8),
        _ => None,
    };
    let mut pixels = Vec::new();
    for y in 0..size.height() {
        for x in 0..size.width() {
            for c in 0..3 {
                pixels.push(value(x, y, c)?);
            }
        }
    }
    Picture::new(size, pixels)
}

fn preprocess(line: &csv::StringRecord) -> Preprocess {
    let number = |column: usize| line[column].parse().unwrap();
    let mut preprocess = Preprocess::new(ImageSize::new(number(3), number(4)).unwrap());
    preprocess.background = [7, 70, 170];
    preprocess.filter = match &line[5] {
        "bilinear" => Filter::Bilinear,
        "bicubic" => Filter::Bicubic,
        _ => Filter::Lanczos,
    };
    preprocess.resize = match &line[6] {
        "squash" => ResizeRule::Squash,
        "crop" => ResizeRule::Crop,
        _ => ResizeRule::Pad,
    };
    preprocess
}

fn digest(picture: &Picture) -> String {
    let bytes: [u8; 32] = Sha256::digest(picture.pixels()).into();
    bytes[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lines() -> Vec<csv::StringRecord> {
    let reader = csv::Reader::from_reader(&include_bytes!("golden/resize_hashes.csv")[..]);
    reader.into_records().map(Result::unwrap).collect()
}

#[test]
fn formula_pictures_equal_pillows() {
    let mut resizer = Resizer::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in lines() {
        let size = ImageSize::new(line[1].parse().unwrap(), line[2].parse().unwrap()).unwrap();
        let Some(picture) = formula_picture(&line[0], size) else { continue };
        count += 1;
        if digest(&resizer.resize(&picture, &preprocess(&line))) != line[7] {
            wrong.push(line.as_slice().to_owned());
        }
    }
    assert_eq!(count, 864);
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn real_pictures_equal_pillows() {
    let Some(root) = real_data::folder("real_pictures_equal_pillows", "pokemon150") else { return };
    let mut resizer = Resizer::new();
    let mut count = 0;
    for line in lines().into_iter().filter(|line| line[0].contains('/')) {
        let file = root.parent().unwrap().join(&line[0]);
        let picture = decode(&std::fs::read(file).unwrap(), &DecodeOptions::default()).unwrap().picture;
        assert_eq!(digest(&resizer.resize(&picture, &preprocess(&line))), line[7], "{line:?}");
        count += 1;
    }
    assert_eq!(count, 60);
}

/// JPEGs of the repository, where there are no real ones.
#[cfg(feature = "turbojpeg")]
#[test]
fn jpegs_by_libjpeg_equal_pillows() {
    use avizor_base::JpegDecoding;
    let reader = csv::Reader::from_reader(&include_bytes!("golden/libjpeg_hashes.csv")[..]);
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in reader.into_records().map(Result::unwrap) {
        let file = match line[0].split_once('/') {
            None => Some(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(&line[0])),
            Some((set, name)) => {
                real_data::folder("jpegs_by_libjpeg_equal_pillows", set).map(|folder| folder.join(name))
            }
        };
        let Some(file) = file else { continue };
        let jpeg = if &line[1] == "scaled" { JpegDecoding::Scaled } else { JpegDecoding::Libjpeg };
        let size = ImageSize::new(line[2].parse().unwrap(), line[3].parse().unwrap()).unwrap();
        let filter = match &line[4] {
            "bilinear" => Filter::Bilinear,
            "bicubic" => Filter::Bicubic,
            _ => Filter::Lanczos,
        };
        let rule = Preprocess { jpeg, filter, ..Preprocess::new(size) };
        let place = avizor_data::Place::File(&file);
        let picture = avizor_data::read_prepared(place, &DecodeOptions::default(), &rule).unwrap();
        count += 1;
        if digest(&picture) != line[5] {
            wrong.push(line.as_slice().to_owned());
        }
    }
    assert!(count >= 6 && wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn one_resizer_gives_what_a_new_one_gives() {
    let mut kept = Resizer::new();
    for line in lines().iter().step_by(7) {
        let size = ImageSize::new(line[1].parse().unwrap(), line[2].parse().unwrap()).unwrap();
        let Some(picture) = formula_picture("sharp", size) else { continue };
        let preprocess = preprocess(line);
        assert_eq!(kept.resize(&picture, &preprocess), avizor_data::resize(&picture, &preprocess), "{line:?}");
    }
}

#[test]
fn a_very_long_picture_costs_little() {
    // Covering 224 × 224, the whole would be scaled to 224 × 14 million pixels.
    let picture = Picture::filled(ImageSize::new(1, 65_535).unwrap(), [1, 2, 3]);
    let mut preprocess = Preprocess::new(ImageSize::new(224, 224).unwrap());
    for rule in [ResizeRule::Squash, ResizeRule::Crop, ResizeRule::Pad] {
        preprocess.resize = rule;
        assert_eq!(avizor_data::resize(&picture, &preprocess).pixel(112, 112), [1, 2, 3]);
    }
}
