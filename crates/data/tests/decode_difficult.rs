//! Awkward real files: each is decoded or refused as the collection's own table says.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail, and says what it skipped or counted")]

mod real_data;

use std::collections::BTreeMap;
use std::path::Path;

use avizor_base::ImageSize;
use avizor_data::decode::{CutOff, DecodeError, DecodeOptions, Limits, Orientation};
use avizor_data::{Decoded, Picture, decode, probe};

/// A line of the collection's table.
struct Expected {
    file: String,
    should_decode: String,
    size: Option<ImageSize>,
    format: String,
    frames: Option<u32>,
    orientation: Option<u32>,
}

fn table(folder: &Path) -> Vec<Expected> {
    let mut reader = csv::Reader::from_path(folder.join("expected.csv")).unwrap();
    let lines = reader.records().map(|line| {
        let line = line.unwrap();
        let size = line[4].parse().ok().zip(line[3].parse().ok());
        Expected {
            file: line[0].to_owned(),
            should_decode: line[2].to_owned(),
            size: size.and_then(|(height, width)| ImageSize::new(height, width)),
            format: line[5].to_owned(),
            frames: line[7].parse().ok(),
            orientation: line[8].parse().ok(),
        }
    });
    lines.collect()
}

fn read(folder: &Path, file: &str) -> Result<Decoded, DecodeError> {
    decode(&std::fs::read(folder.join(file)).unwrap(), &DecodeOptions::default())
}

#[test]
fn every_file_is_decoded_or_refused_as_its_table_says() {
    let Some(folder) = real_data::folder("every_file_is_decoded_or_refused_as_its_table_says", "difficult") else {
        return;
    };
    let mut wrong = Vec::new();
    let mut counts = BTreeMap::new();
    for expected in table(&folder) {
        let outcome = read(&folder, &expected.file);
        let done = if outcome.is_ok() { "decoded" } else { "refused" };
        *counts.entry((expected.should_decode.clone(), done)).or_insert(0) += 1;
        if std::env::var_os("AVIZOR_SHOW").is_some() {
            let text = outcome.as_ref().map_or_else(ToString::to_string, |decoded| format!("{:?}", decoded.facts));
            eprintln!("{:6} {:44} {text}", expected.should_decode, expected.file);
        }
        match (&outcome, expected.should_decode.as_str()) {
            (Ok(decoded), "yes") => {
                let fault = contradiction(&expected, decoded);
                wrong.extend(fault.map(|fault| format!("{}: {fault}", expected.file)));
            }
            (Err(error), "yes") => wrong.push(format!("{} is refused: it {error}", expected.file)),
            (Ok(_), "no") => wrong.push(format!("{} is decoded", expected.file)),
            _ => {}
        }
    }
    eprintln!("difficult: {counts:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(counts.values().sum::<i32>(), 354);
    // The whole set, whose bombs declare up to 10 gigapixels, in this much memory.
    if let Some(peak) = peak_memory() {
        eprintln!("difficult: peak memory {} MiB", peak >> 20);
        assert!(peak < 1 << 30);
    }
}

/// What a decoded file's facts and picture say against its table.
fn contradiction(expected: &Expected, decoded: &Decoded) -> Option<String> {
    let facts = decoded.facts;
    if Some(facts.stored_size) != expected.size {
        return Some(format!("size {} instead of {:?}", facts.stored_size, expected.size));
    }
    if decoded.picture.size() != facts.size() {
        return Some(format!("upright size {} instead of {}", decoded.picture.size(), facts.size()));
    }
    let format = facts.format.name().to_uppercase();
    if format != expected.format.replace("MPO", "JPEG") {
        return Some(format!("format {format}"));
    }
    let orientation = expected.orientation.and_then(Orientation::from_tag);
    if orientation.is_some_and(|orientation| orientation != facts.orientation) {
        return Some(format!("orientation {:?} instead of {orientation:?}", facts.orientation));
    }
    if expected.frames.is_some_and(|frames| (frames > 1) != facts.animated) {
        return Some(format!("animated: {}, frames: {:?}", facts.animated, expected.frames));
    }
    None
}

/// Of the process, in bytes, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
}

#[test]
fn a_header_tells_what_decoding_tells() {
    let Some(folder) = real_data::folder("a_header_tells_what_decoding_tells", "difficult") else { return };
    for expected in table(&folder) {
        let Ok(decoded) = read(&folder, &expected.file) else { continue };
        let header = probe(&std::fs::read(folder.join(&expected.file)).unwrap(), &Limits::default()).unwrap();
        let facts = avizor_data::decode::Facts { truncated: false, damaged: false, ..decoded.facts };
        assert_eq!(header, facts, "{}", expected.file);
    }
}

#[test]
fn orientation_families_look_alike() {
    let Some(folder) = real_data::folder("orientation_families_look_alike", "difficult") else { return };
    // The most that the mean may differ: Pillow's own upright pictures of a family differ by up to 3.9 levels, for each
    // file was compressed anew.
    let families: [(&str, &str, std::ops::RangeInclusive<u32>, f64); 4] = [
        ("exif/flower_96x64_orientation_", ".jpg", 1..=8, 3.0),
        ("exif/hopper_orientation_", ".jpg", 2..=8, 5.0),
        ("exif/hopper_orientation_", ".webp", 2..=8, 3.0),
        ("exif/g4_orientation_", ".tif", 1..=8, 1.0),
    ];
    for (start, end, numbers, most) in families {
        let pictures: Vec<Picture> =
            numbers.map(|number| read(&folder, &format!("{start}{number}{end}")).unwrap().picture).collect();
        for (index, picture) in pictures.iter().enumerate() {
            assert_eq!(picture.size(), pictures[0].size(), "{start}{index}{end}");
            let mean = mean_difference(picture, &pictures[0]);
            assert!(mean <= most, "{start}{index}{end}: {mean} levels from the first");
        }
    }
}

#[test]
fn colours_agree_with_pillow() {
    let Some(folder) = real_data::folder("colours_agree_with_pillow", "difficult") else { return };
    let mut wrong = Vec::new();
    let mut largest = BTreeMap::new();
    for line in csv::Reader::from_reader(&include_bytes!("golden/decode_means.csv")[..]).records() {
        let line = line.unwrap();
        let decoded = read(&folder, &line[0]).unwrap();
        let size = ImageSize::new(line[1].parse().unwrap(), line[2].parse().unwrap());
        assert_eq!(Some(decoded.picture.size()), size, "{}", &line[0]);
        let wanted =
            (0..line[3].len()).step_by(2).map(|place| u8::from_str_radix(&line[3][place..place + 2], 16).unwrap());
        let most = grid_means(&decoded.picture)
            .into_iter()
            .zip(wanted)
            .map(|(got, wanted)| got.abs_diff(wanted))
            .max()
            .unwrap();
        let kept = largest.entry(decoded.facts.format).or_insert(0);
        *kept = most.max(*kept);
        // Lossy decoders round in different places; the rest must agree, but for the rounding of the mean.
        if most > 1 {
            wrong.push(format!("{}: {most} levels", &line[0]));
        }
    }
    eprintln!("largest difference from Pillow in a cell's mean colour: {largest:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Mean colour of each of 4 × 4 cells, rounded half up.
fn grid_means(picture: &Picture) -> Vec<u8> {
    let edges = |side: u32, cell: usize| {
        let side = side as usize;
        let start = cell * side / 4;
        start..(start + 1).max((cell + 1) * side / 4)
    };
    let mut means = Vec::new();
    for cell in 0..16 {
        let (mut sums, mut count) = ([0u64; 3], 0);
        for y in edges(picture.size().height(), cell / 4) {
            for x in edges(picture.size().width(), cell % 4) {
                let colour = picture.pixel(y, x);
                (0..3).for_each(|channel| sums[channel] += u64::from(colour[channel]));
                count += 1;
            }
        }
        means.extend(sums.map(|sum| ((2 * sum + count) / (2 * count)) as u8));
    }
    means
}

fn mean_difference(one: &Picture, other: &Picture) -> f64 {
    let pairs = one.pixels().iter().zip(other.pixels());
    pairs.map(|(one, other)| f64::from(one.abs_diff(*other))).sum::<f64>() / one.pixels().len() as f64
}

#[test]
fn a_picture_cut_off_is_kept_when_asked_for() {
    let Some(folder) = real_data::folder("a_picture_cut_off_is_kept_when_asked_for", "difficult") else { return };
    let bytes = std::fs::read(folder.join("junk/half.jpg")).unwrap();
    assert!(matches!(decode(&bytes, &DecodeOptions::default()), Err(DecodeError::CutOff { .. })));
    let options = DecodeOptions { cut_off: CutOff::Keep, ..DecodeOptions::default() };
    let decoded = decode(&bytes, &options).unwrap();
    assert!(decoded.facts.truncated && decoded.facts.damaged);
}
