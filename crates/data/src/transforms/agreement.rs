//! Agreement with torchvision on pictures of PIL, and with Keras' warp through SciPy, on stored results for given
//! numbers. The files come from `scripts/golden_pictures.py`.

use avizor_base::ImageSize;
use serde_json::Value;

use super::warp::{Fill, Interpolation, Warp};
use super::{Blur, Colour, ColourChange, Draw, Extension, Part, Scratch, affine, keras_affine, rotation};
use crate::Picture;

/// The largest difference in gray levels of each operation, and the largest mean over a picture. Between pixels Pillow
/// drops the fraction, which darkens by half a level; ours rounds, as torchvision's tensors and SciPy do.
const DIFFERENCES: &[(&str, u8, f64)] = &[
    ("rotation nearest", 0, 0.0),
    ("rotation bilinear", 1, 0.6),
    ("affine nearest", 0, 0.0),
    ("affine bilinear", 1, 0.6),
    ("keras_affine", 1, 0.03),
    ("brightness", 0, 0.0),
    ("contrast", 0, 0.0),
    ("saturation", 0, 0.0),
    ("hue", 0, 0.0),
    ("gaussian_blur", 0, 0.0),
    ("random_resized_crop", 0, 0.0),
    ("random_crop", 0, 0.0),
];

fn size() -> ImageSize {
    ImageSize::new(19, 23).unwrap()
}

/// `smooth` of the script.
fn smooth_picture() -> Picture {
    let value = |place: u32| {
        let (y, x, c) = (place / 3 / 23, place / 3 % 23, place % 3);
        let wave = ((x * x * 3 + y * y * 5 + x * y * 2 + x * 29 + y * 14 + c * 180) / 3) % 510;
        wave.min(510 - wave) as u8
    };
    Picture::new(size(), (0..3 * 19 * 23).map(value).collect()).unwrap()
}

fn numbers<const N: usize>(value: &Value) -> [f64; N] {
    std::array::from_fn(|index| value[index].as_f64().unwrap())
}

fn fill(value: &Value) -> Fill {
    match value {
        Value::Array(colour) => Fill::Colour(Colour::Rgb(std::array::from_fn(|c| colour[c].as_u64().unwrap() as u8))),
        Value::String(name) if name == "nearest" => Fill::Extended(Extension::Nearest),
        Value::String(name) if name == "reflect" => Fill::Extended(Extension::Reflect),
        _ => Fill::default(),
    }
}

/// The draw with the numbers of a stored case.
fn draw(op: &str, case: &Value) -> Draw {
    let number = |name: &str| case[name].as_f64().unwrap();
    let whole = |name: &str| case[name].as_u64().unwrap() as u32;
    let interpolation = match case["interpolation"].as_str() {
        Some("nearest") => Interpolation::Nearest,
        _ => Interpolation::Bilinear,
    };
    let warp = |matrix, interpolation| Draw::Warp(Warp { matrix, interpolation, fill: fill(&case["fill"]) });
    let colour = |change| Draw::ColorJitter(vec![change]);
    match op {
        "rotation" => warp(rotation::matrix(size(), number("degrees")), interpolation),
        "affine" => {
            let (translate, shear) = (numbers(&case["translate"]), numbers(&case["shear"]));
            warp(affine::matrix(size(), number("degrees"), translate, number("scale"), shear), interpolation)
        }
        "keras_affine" => {
            let (shift, zoom) = (numbers(&case["shift"]), numbers(&case["zoom"]));
            warp(keras_affine::matrix(size(), number("degrees"), shift, number("shear"), zoom), interpolation)
        }
        "random_crop" => warp([1.0, 0.0, number("right"), 0.0, 1.0, number("down")], Interpolation::Nearest),
        "brightness" => colour(ColourChange::Brightness(number("factor"))),
        "contrast" => colour(ColourChange::Contrast(number("factor"))),
        "saturation" => colour(ColourChange::Saturation(number("factor"))),
        "hue" => colour(ColourChange::Hue(number("part"))),
        "gaussian_blur" => {
            let kernel_size = numbers(&case["kernel_size"]).map(|side| side as u32);
            Draw::GaussianBlur(Blur { kernel_size, sigma: number("sigma") })
        }
        "random_resized_crop" => {
            let part = ImageSize::new(whole("height"), whole("width")).unwrap();
            Draw::RandomResizedCrop(Part { top: whole("top"), left: whole("left"), size: part })
        }
        other => panic!("{other}"),
    }
}

#[test]
fn transforms_agree_with_their_libraries() {
    let mut seen: Vec<(String, u8, f64)> = Vec::new();
    let mut reader = csv::Reader::from_reader(&include_bytes!("../../tests/golden/transforms.csv")[..]);
    for line in reader.records() {
        let line = line.unwrap();
        let case: Value = serde_json::from_str(&line[1]).unwrap();
        let mut picture = smooth_picture();
        draw(&line[0], &case).apply(&mut picture, &mut Scratch::default());
        let wanted = line[2]
            .as_bytes()
            .chunks(2)
            .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
        let differences: Vec<u8> =
            picture.pixels().iter().zip(wanted).map(|(got, wanted)| got.abs_diff(wanted)).collect();
        assert_eq!(differences.len(), 3 * 19 * 23);
        let most = differences.iter().copied().max().unwrap();
        let mean = differences.iter().map(|level| f64::from(*level)).sum::<f64>() / differences.len() as f64;
        if most > 0 {
            eprintln!("{} {}: largest {most}, mean {mean:.4}", &line[0], &line[1]);
        }
        let name = format!("{} {}", &line[0], case["interpolation"].as_str().unwrap_or("")).trim_end().to_owned();
        match seen.iter_mut().find(|(kept, ..)| *kept == name) {
            Some((_, largest, largest_mean)) => {
                *largest = most.max(*largest);
                *largest_mean = mean.max(*largest_mean);
            }
            None => seen.push((name, most, mean)),
        }
    }
    assert_eq!(seen.len(), DIFFERENCES.len());
    for (name, most, mean) in seen {
        let (_, stated, stated_mean) = DIFFERENCES.iter().find(|row| row.0 == name).unwrap();
        assert!(most <= *stated && mean <= *stated_mean, "{name}: largest {most}, mean {mean}");
    }
}

#[test]
fn every_hue_turns_as_pillows() {
    use sha2::{Digest, Sha256};
    // Red, green, blue in steps of five, in the order of the script's cube.
    let step = |index: u32| (index * 5) as u8;
    let pixels = (0..52 * 52 * 52).flat_map(|i| [step(i / (52 * 52)), step(i / 52 % 52), step(i % 52)]).collect();
    let cube = Picture::new(ImageSize::new(52, 52 * 52).unwrap(), pixels).unwrap();
    for (part, digest) in [(0.0, "21bcc2fc1f5fb4dd"), (0.1, "21056dc7cc0f9667"), (-0.37, "e866e83c7483d302")] {
        let mut turned = cube.clone();
        Draw::ColorJitter(vec![ColourChange::Hue(part)]).apply(&mut turned, &mut Scratch::default());
        let bytes: [u8; 32] = Sha256::digest(turned.pixels()).into();
        let got: String = bytes[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(got, digest, "{part}");
    }
}
