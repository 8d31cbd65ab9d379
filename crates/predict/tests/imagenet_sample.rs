//! Real weights on real pictures, from the file to the class: as PyTorch, torchvision and Pillow see them
//! (`scripts/golden_imagenet.py`).

#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};

use avizor_base::{Filter, ImageSize, JpegDecoding, Preprocess, ResizeRule};
use avizor_data::decode::{DecodeOptions, HAS_TURBOJPEG};
use avizor_data::{Place, read_prepared};
use avizor_engine::State;
use avizor_kernels::{Cpu, Level};
use avizor_models::{NetworkOptions, find, load_weights};
use avizor_predict::{Scorer, Scores};
use serde_json::Value;

/// A way to decode JPEGs, how many pictures may be seen as another class then, and by how much their logits may differ.
struct Way {
    jpeg: JpegDecoding,
    otherwise: usize,
    near: f32,
}

/// zune-jpeg rounds colour twice where it is stored at half the size, always up at a half: blue is a quarter of a grey level too high.
const IN_RUST: Way = Way { jpeg: JpegDecoding::Exact, otherwise: 5, near: 0.25 };
/// What PyTorch's pictures were decoded with, where this program has it.
const WAYS: &[Way] =
    if HAS_TURBOJPEG { &[IN_RUST, Way { jpeg: JpegDecoding::Libjpeg, otherwise: 0, near: 0.0 }] } else { &[IN_RUST] };

#[test]
fn pictures_are_seen_as_in_pytorch() {
    let golden = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/imagenet_sample.json")).unwrap();
    let golden: Value = serde_json::from_slice(&golden).unwrap();
    let place = |variable: &str, name: &str| {
        let path = std::env::var_os(variable).map(|root| PathBuf::from(root).join(name)).filter(|path| path.exists());
        if path.is_none() {
            eprintln!("skipped: pictures_are_seen_as_in_pytorch needs {variable}/{name}");
        }
        path
    };
    let Some(pictures) = place("AVIZOR_DATA", "imagenet-sample") else { return };
    let mut files: Vec<PathBuf> = fs::read_dir(pictures).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for (name, case) in golden["cases"].as_object().unwrap() {
        if let Some(weights) = place("AVIZOR_WEIGHTS", name) {
            for way in WAYS {
                check(name, case, &weights, &files, way);
            }
        }
    }
}

fn check(name: &str, case: &Value, weights: &Path, files: &[PathBuf], way: &Way) {
    let square = |field: &str| {
        let side = case[field].as_u64().unwrap() as u32;
        ImageSize::new(side, side).unwrap()
    };
    let numbers = |field: &str| [0, 1, 2].map(|channel: usize| case[field][channel].as_f64().unwrap() as f32);
    let preprocess = Preprocess {
        jpeg: way.jpeg,
        resize: ResizeRule::Crop,
        cover: Some(square("cover")),
        filter: if case["filter"] == "bicubic" { Filter::Bicubic } else { Filter::Bilinear },
        mean: numbers("mean"),
        std: numbers("std"),
        ..Preprocess::new(square("size"))
    };
    let (network, options) = (find(case["network"].as_str().unwrap()).unwrap(), NetworkOptions::new(1000));
    let cpu = Cpu::new(2, Level::best());
    let mut state = State::new(&Scorer::graph(network, &options, &preprocess, 1).unwrap());
    load_weights(weights, &mut state, None).unwrap();
    let scorer = Scorer::new(network, &options, &preprocess, 25, &cpu, &mut state).unwrap();
    let mut scores = Scores::default();
    for files in files.chunks(scorer.batch()) {
        let mut pictures = Vec::new();
        for file in files {
            let picture = read_prepared(Place::File(file), &DecodeOptions::default(), &preprocess).unwrap();
            pictures.extend_from_slice(picture.pixels());
        }
        scorer.score(&cpu, &mut state, &pictures, &[], &mut scores);
    }
    let seen = scores.predictions();
    let wanted: Vec<u32> =
        case["seen"].as_array().unwrap().iter().map(|class| class.as_u64().unwrap() as u32).collect();
    assert_eq!(seen.len(), wanted.len(), "the sample is another one");
    let otherwise: Vec<usize> = (0..seen.len()).filter(|&row| seen[row] != wanted[row]).collect();
    for &row in &otherwise {
        let logits = &scores.logits[row * scores.classes..][..scores.classes];
        let behind = logits[seen[row] as usize] - logits[wanted[row] as usize];
        assert!(behind <= way.near, "{name}: {} is no tie: {behind}", files[row].display());
    }
    let class = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap()[..4].parse::<u32>().unwrap();
    let right = files.iter().zip(&seen).filter(|(file, seen)| **seen == class(file)).count();
    eprintln!(
        "{name}, {}: {right} of {} right ({} in PyTorch), {} seen otherwise",
        way.jpeg.name(),
        files.len(),
        case["right"],
        otherwise.len()
    );
    let most = way.otherwise;
    assert!(otherwise.len() <= most, "{name}: more than {most} pictures are seen otherwise than in PyTorch");
}
