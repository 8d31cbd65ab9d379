//! Agreement with torchvision on pictures of PIL, and with Keras' warp through SciPy, for given numbers: on pictures that a
//! formula makes, whose results are stored (`scripts/golden_pictures.py`), and on real ones where `AVIZOR_REFERENCES` names
//! a folder that `scripts/transform_references.py` made.

use std::collections::BTreeMap;
use std::path::Path;

use avizor_base::ImageSize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::automatic::{Kind, RAND_SPACE, Scale, WIDE_SPACE};
use super::warp::{Fill, Interpolation, Warp};
use super::{
    Blur, Colour, ColourChange, Cover, Displacement, Draw, Extension, Noise, Part, Patch, PerspectiveWarp, Scratch,
    TRANSFORM_SETS, TRANSFORMS, affine, keras_affine, perspective, rotation,
};
use crate::Picture;
use crate::decode::{DecodeOptions, decode};

/// How far an operation is from its reference, in gray levels.
struct Agreement {
    /// The operation, and its interpolation where it has one.
    name: &'static str,
    reference: &'static str,
    /// The largest difference of a sample and the mean over all, on pictures of formulas.
    formula: (u8, f64),
    /// The same on real pictures, at most.
    real: (u8, f64),
}

const fn row(name: &'static str, reference: &'static str, formula: (u8, f64), real: (u8, f64)) -> Agreement {
    Agreement { name, reference, formula, real }
}

/// Between pixels Pillow drops the fraction, which darkens by half a level; ours rounds, as torchvision's tensors and SciPy
/// do. torchvision drops the fraction of noise before it adds it. Its displacements have fewer bits, so that a few pixels
/// fall to their neighbours, and at an edge it takes the part of a pixel that lies inside twice, which darkens a line.
const AGREEMENTS: &[Agreement] = &[
    row("horizontal_flip", PILLOW, (0, 0.0), (0, 0.0)),
    row("vertical_flip", PILLOW, (0, 0.0), (0, 0.0)),
    row("rotation nearest", PILLOW, (0, 0.0), (0, 0.0)),
    row("rotation bilinear", PILLOW, (1, 0.218), (1, 0.42)),
    row("affine nearest", PILLOW, (0, 0.0), (0, 0.0)),
    row("affine bilinear", PILLOW, (1, 0.281), (1, 0.42)),
    row("keras_affine", "Keras, through SciPy", (1, 0.014), (1, 0.005)),
    row("perspective nearest", PILLOW, (0, 0.0), (0, 0.0)),
    row("perspective bilinear", PILLOW, (1, 0.360), (1, 0.27)),
    row("elastic nearest", TENSORS, (0, 0.0), (124, 0.001)),
    row("elastic bilinear", TENSORS, (1, 0.016), (1, 0.005)),
    row("elastic bilinear, black outside", TENSORS, (167, 2.948), (220, 0.67)),
    row("random_crop", PILLOW, (0, 0.0), (0, 0.0)),
    row("random_resized_crop", PILLOW, (0, 0.0), (0, 0.0)),
    row("brightness", PILLOW, (0, 0.0), (0, 0.0)),
    row("contrast", PILLOW, (0, 0.0), (0, 0.0)),
    row("saturation", PILLOW, (0, 0.0), (0, 0.0)),
    row("hue", PILLOW, (0, 0.0), (0, 0.0)),
    row("grayscale", PILLOW, (0, 0.0), (0, 0.0)),
    row("invert", PILLOW, (0, 0.0), (0, 0.0)),
    row("posterize", PILLOW, (0, 0.0), (0, 0.0)),
    row("solarize", PILLOW, (0, 0.0), (0, 0.0)),
    row("autocontrast", PILLOW, (0, 0.0), (0, 0.0)),
    row("equalize", PILLOW, (0, 0.0), (0, 0.0)),
    row("sharpness", PILLOW, (0, 0.0), (0, 0.0)),
    row("gaussian_blur", TENSORS, (0, 0.0), (1, 0.001)),
    row("gaussian_noise", TENSORS, (1, 0.449), (1, 0.45)),
    row("jpeg", "torchvision on Pillow (libjpeg-turbo)", (0, 0.0), (0, 0.0)),
    row("rand_augment, trivial_augment_wide nearest", PILLOW, (0, 0.0), (0, 0.0)),
    row("random_erasing", TENSORS, (0, 0.0), (0, 0.0)),
];

const PILLOW: &str = "torchvision on Pillow";
const TENSORS: &str = "torchvision on tensors";

/// `smooth`, `sharp` and `blocks` of the script.
fn formula_picture(case: &Value) -> Picture {
    let kind = case["picture"][0].as_str().unwrap_or("smooth");
    let side = |index: usize, usual: u32| case["picture"][index].as_u64().map_or(usual, |side| side as u32);
    let (height, width) = (side(1, 19), side(2, 23));
    let value = |place: u32| {
        let (y, x, c) = (place / 3 / width, place / 3 % width, place % 3);
        match kind {
            "sharp" => ((x * 37 + y * 101 + c * 53 + x * y * 7 + x * x * 3) % 256) as u8,
            "blocks" => ((x / 3 + y / 5 + c) % 2 * 255) as u8,
            _ => {
                let wave = ((x * x * 3 + y * y * 5 + x * y * 2 + x * 29 + y * 14 + c * 180) / 3) % 510;
                wave.min(510 - wave) as u8
            }
        }
    };
    Picture::new(ImageSize::new(height, width).unwrap(), (0..3 * height * width).map(value).collect()).unwrap()
}

fn numbers<const N: usize>(value: &Value) -> [f64; N] {
    std::array::from_fn(|index| value[index].as_f64().unwrap())
}

fn colour(value: &Value) -> Colour {
    Colour::Rgb(std::array::from_fn(|channel| value[channel].as_u64().unwrap() as u8))
}

fn fill(value: &Value) -> Fill {
    match value {
        Value::Array(_) => Fill::Colour(colour(value)),
        Value::String(name) if name == "nearest" => Fill::Extended(Extension::Nearest),
        Value::String(name) if name == "reflect" => Fill::Extended(Extension::Reflect),
        _ => Fill::default(),
    }
}

/// The draw with the numbers of a case.
fn draw(op: &str, case: &Value, size: ImageSize) -> Draw {
    let number = |name: &str| case[name].as_f64().unwrap();
    let whole = |name: &str| case[name].as_u64().unwrap() as u32;
    let interpolation = match case["interpolation"].as_str() {
        Some("nearest") => Interpolation::Nearest,
        _ => Interpolation::Bilinear,
    };
    let warp = |matrix, interpolation| Draw::Warp(Warp { matrix, interpolation, fill: fill(&case["fill"]) });
    let jitter = |change| Draw::ColorJitter(vec![change]);
    match op {
        "horizontal_flip" => Draw::HorizontalFlip,
        "vertical_flip" => Draw::VerticalFlip,
        "rotation" => warp(rotation::matrix(size, number("degrees")), interpolation),
        "affine" => {
            let (translate, shear) = (numbers(&case["translate"]), numbers(&case["shear"]));
            warp(
                affine::matrix(affine::centre(size), number("degrees"), translate, number("scale"), shear),
                interpolation,
            )
        }
        "keras_affine" => {
            let (shift, zoom) = (numbers(&case["shift"]), numbers(&case["zoom"]));
            warp(keras_affine::matrix(size, number("degrees"), shift, number("shear"), zoom), interpolation)
        }
        "perspective" => {
            let corners = |name: &str| std::array::from_fn(|corner| numbers(&case[name][corner]));
            let coefficients = perspective::coefficients(corners("from"), corners("to")).unwrap();
            Draw::Perspective(PerspectiveWarp { coefficients, interpolation, fill: Fill::default() })
        }
        "elastic" => {
            let (alpha, sigma, seed) =
                (numbers(&case["alpha"]), numbers(&case["sigma"]), case["seed"].as_u64().unwrap());
            Draw::Elastic(Displacement { alpha, sigma, seed, interpolation, fill: fill(&case["fill"]) })
        }
        "random_crop" => warp([1.0, 0.0, number("right"), 0.0, 1.0, number("down")], Interpolation::Nearest),
        "random_resized_crop" => {
            let part = ImageSize::new(whole("height"), whole("width")).unwrap();
            Draw::RandomResizedCrop(Part { top: whole("top"), left: whole("left"), size: part })
        }
        "random_erasing" => Draw::RandomErasing(Patch {
            top: whole("top"),
            left: whole("left"),
            height: whole("height"),
            width: whole("width"),
            value: Cover::Colour(colour(&case["value"])),
            seed: 0,
        }),
        "brightness" => jitter(ColourChange::Brightness(number("factor"))),
        "contrast" => jitter(ColourChange::Contrast(number("factor"))),
        "saturation" => jitter(ColourChange::Saturation(number("factor"))),
        "hue" => jitter(ColourChange::Hue(number("part"))),
        "grayscale" => Draw::Grayscale,
        "invert" => Draw::Invert,
        "posterize" => Draw::Posterize(whole("bits") as u8),
        "solarize" => Draw::Solarize(number("threshold")),
        "autocontrast" => Draw::Autocontrast,
        "equalize" => Draw::Equalize,
        "sharpness" => Draw::Sharpness(number("factor")),
        "gaussian_blur" => {
            let kernel_size = numbers(&case["kernel_size"]).map(|side| side as u32);
            Draw::GaussianBlur(Blur { kernel_size, sigma: number("sigma") })
        }
        "gaussian_noise" => {
            let seed = case["seed"].as_u64().unwrap();
            Draw::GaussianNoise(Noise { mean: number("mean"), sigma: number("sigma"), seed })
        }
        "rand_augment, trivial_augment_wide" => {
            let name = case["change"].as_str().unwrap();
            let kind = Kind::ALL.into_iter().find(|kind| format!("{kind:?}") == name).unwrap();
            kind.draw(number("magnitude"), size, interpolation, Fill::default())
        }
        "jpeg" => Draw::Jpeg(whole("quality") as u8),
        other => panic!("{other}"),
    }
}

/// What was found of each operation.
#[derive(Default)]
struct Found(BTreeMap<String, Difference>);

/// Over all cases of an operation.
#[derive(Default)]
struct Difference {
    largest: u8,
    sum: u64,
    unequal: u64,
    samples: u64,
}

impl Difference {
    /// 0 where all were equal to the bit and none was counted.
    fn mean(&self) -> f64 {
        self.sum as f64 / self.samples.max(1) as f64
    }
}

impl Found {
    /// Name of the row that a case belongs to.
    fn name(op: &str, case: &Value) -> String {
        let interpolation = case["interpolation"].as_str().map_or(String::new(), |name| format!(" {name}"));
        let outside = if op == "elastic" && case["fill"] == "constant" { ", black outside" } else { "" };
        format!("{op}{interpolation}{outside}")
    }

    fn add(&mut self, name: String, got: &[u8], wanted: &[u8]) {
        assert_eq!(got.len(), wanted.len(), "{name}");
        let difference = self.0.entry(name).or_default();
        for level in got.iter().zip(wanted).map(|(got, wanted)| got.abs_diff(*wanted)) {
            difference.largest = difference.largest.max(level);
            difference.sum += u64::from(level);
            difference.unequal += u64::from(level > 0);
        }
        difference.samples += got.len() as u64;
    }

    /// Every row with what was found of it; a row without, or more than the rows, is a mistake of the test.
    fn rows(&self) -> impl Iterator<Item = (&'static Agreement, &Difference)> {
        let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        for name in &names {
            assert!(AGREEMENTS.iter().any(|row| row.name == *name), "{name} has no row");
        }
        AGREEMENTS.iter().map(move |row| {
            let difference = self.0.get(row.name).unwrap_or_else(|| panic!("{} has no case", row.name));
            let Difference { largest, unequal, samples, .. } = difference;
            eprintln!("{:<32} largest {largest:>3}, mean {:.4}, {unequal} of {samples}", row.name, difference.mean());
            (row, difference)
        })
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn transforms_agree_with_their_libraries() {
    let mut found = Found::default();
    let mut unequal = Vec::new();
    let mut reader = csv::Reader::from_reader(&include_bytes!("../../tests/golden/transforms.csv")[..]);
    for line in reader.records() {
        let line = line.unwrap();
        let case: Value = serde_json::from_str(&line[1]).unwrap();
        let mut picture = formula_picture(&case);
        draw(&line[0], &case, picture.size()).apply(&mut picture, &mut Scratch::default());
        let (name, wanted) = (Found::name(&line[0], &case), line[2].as_bytes());
        if wanted.len() == 16 {
            // Equal to the bit, or not at all.
            if sha256(picture.pixels()).as_bytes() != wanted {
                unequal.push(format!("{} {}", &line[0], &line[1]));
            }
            found.add(name, &[], &[]);
            continue;
        }
        let digits = wanted.as_chunks().0.iter().map(|digits: &[u8; 2]| std::str::from_utf8(digits).unwrap());
        let wanted: Vec<u8> = digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect();
        found.add(name, picture.pixels(), &wanted);
    }
    assert!(unequal.is_empty(), "not equal to the bit: {unequal:#?}");
    let shown = |(largest, mean): (u8, f64)| format!("{largest}, mean {mean:.3}");
    let wrong = found.rows().filter(|(row, found)| shown(row.formula) != shown((found.largest, found.mean())));
    let wrong: Vec<&str> = wrong.map(|(row, _)| row.name).collect();
    assert!(wrong.is_empty(), "not as the table says: {wrong:?}");
}

#[test]
fn transforms_agree_on_real_pictures() {
    let Some(folder) = std::env::var_os("AVIZOR_REFERENCES") else {
        eprintln!(
            "skipped: transforms_agree_on_real_pictures needs AVIZOR_REFERENCES, a folder that scripts/transform_references.py made"
        );
        return;
    };
    let folder = Path::new(&folder);
    let read =
        |name: &str| decode(&std::fs::read(folder.join(name)).unwrap(), &DecodeOptions::default()).unwrap().picture;
    let (mut found, mut scratch) = (Found::default(), Scratch::default());
    for line in csv::Reader::from_path(folder.join("cases.csv")).unwrap().records() {
        let line = line.unwrap();
        let case: Value = serde_json::from_str(&line[1]).unwrap();
        let mut picture = read(&line[2]);
        draw(&line[0], &case, picture.size()).apply(&mut picture, &mut scratch);
        found.add(Found::name(&line[0], &case), picture.pixels(), read(&line[3]).pixels());
    }
    let worse = found.rows().filter(|(row, found)| found.largest > row.real.0 || found.mean() > row.real.1);
    let worse: Vec<&str> = worse.map(|(row, _)| row.name).collect();
    assert!(worse.is_empty(), "worse than the table says: {worse:?}");
}

#[test]
fn magnitudes_are_torchvisions() {
    let mut reader = csv::Reader::from_reader(&include_bytes!("../../tests/golden/magnitudes.csv")[..]);
    let mut kinds = 0;
    for line in reader.records() {
        let line = line.unwrap();
        let side = |index: usize| line[index].parse::<u32>().unwrap();
        let space = if &line[0] == "RandAugment" { &RAND_SPACE } else { &WIDE_SPACE };
        let scale = Scale { space, bins: side(1), size: ImageSize::new(side(2), side(3)).unwrap() };
        let kind = Kind::ALL.into_iter().find(|kind| format!("{kind:?}") == line[4]).unwrap();
        let wanted: Vec<f64> = serde_json::from_str(&line[5]).unwrap();
        for (bin, wanted) in wanted.into_iter().enumerate() {
            let got = scale.magnitude(kind, bin as u32);
            // torchvision's last bit depends on the instructions of the machine that it ran on.
            assert!((got - wanted).abs() <= f64::from(f32::EPSILON) * wanted, "{line:?}, {bin}: {got}");
        }
        kinds += 1;
    }
    assert_eq!(kinds, 4 * Kind::ALL.len());
}

/// The tables of the page say what is known here.
#[test]
fn the_page_about_augmentation_is_up_to_date() {
    let page = include_str!("../../../../docs/augmentation.md");
    let mut wanted = String::from("| transform | what it does | options |\n|---|---|---|\n");
    for row in TRANSFORMS {
        let options: Vec<String> =
            row.options.iter().map(|option| format!("`{} = {}`", option.name, option.default)).collect();
        wanted += &format!("| `{}` | {} | {} |\n", row.op, row.doc, options.join(", "));
    }
    assert!(page.contains(&wanted), "docs/augmentation.md should have this table:\n{wanted}");
    let mut wanted = String::from("| set | what it does | its list |\n|---|---|---|\n");
    for set in TRANSFORM_SETS {
        wanted += &format!("| `{}` | {} | `{}` |\n", set.name, set.doc, set.as_recipe());
    }
    assert!(page.contains(&wanted), "docs/augmentation.md should have this table:\n{wanted}");
    let mut wanted = String::from(
        "| operation | reference | largest | mean | largest, formula | mean, formula |\n|---|---|---|---|---|---|\n",
    );
    for row in AGREEMENTS {
        let ((real, real_mean), (formula, formula_mean)) = (row.real, row.formula);
        wanted +=
            &format!("| {} | {} | {real} | {real_mean} | {formula} | {formula_mean} |\n", row.name, row.reference);
    }
    assert!(page.contains(&wanted), "docs/augmentation.md should have this table:\n{wanted}");
}

#[test]
fn every_hue_turns_as_pillows() {
    // Red, green, blue in steps of five, in the order of the script's cube.
    let step = |index: u32| (index * 5) as u8;
    let pixels = (0..52 * 52 * 52).flat_map(|i| [step(i / (52 * 52)), step(i / 52 % 52), step(i % 52)]).collect();
    let cube = Picture::new(ImageSize::new(52, 52 * 52).unwrap(), pixels).unwrap();
    for (part, digest) in [(0.0, "21bcc2fc1f5fb4dd"), (0.1, "21056dc7cc0f9667"), (-0.37, "e866e83c7483d302")] {
        let mut turned = cube.clone();
        Draw::ColorJitter(vec![ColourChange::Hue(part)]).apply(&mut turned, &mut Scratch::default());
        assert_eq!(sha256(turned.pixels()), digest, "{part}");
    }
}
