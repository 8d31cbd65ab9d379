//! Transforms as a recipe names them: every row of the table, its defaults, its errors, its determinism.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail, and says what it skipped or counted")]

use avizor_base::{ImageSize, Purpose, Seed};
use avizor_data::Picture;
use avizor_data::transforms::{Draw, Scratch, TRANSFORM_SETS, TRANSFORMS, Transforms};
use serde_json::{Map, Value, json};

/// Awkward, square, long.
const SIZES: &[(u32, u32)] = &[(1, 1), (1, 97), (61, 1), (2, 3), (32, 32), (7, 200)];

/// Options under which each transform does something.
fn busy() -> Value {
    json!([
        { "op": "horizontal_flip", "p": 0.5 },
        { "op": "vertical_flip" },
        { "op": "rotation", "degrees": 20, "interpolation": "bilinear", "fill": "reflect" },
        { "op": "affine", "degrees": [-7, 7], "translate": [0.02, 0.1], "scale": [0.95, 1.05], "shear": [-5, 5, -3, 3], "fill": [1, 2, 3] },
        { "op": "keras_affine", "rotation_range": 20, "width_shift_range": 0.2, "height_shift_range": 0.2, "shear_range": 0.2, "zoom_range": 0.2 },
        { "op": "perspective", "fill": [9, 8, 7] },
        { "op": "elastic", "alpha": [60, 20], "sigma": [2, 3], "fill": "reflect" },
        { "op": "random_crop", "padding": 4, "fill": "nearest" },
        { "op": "random_resized_crop" },
        { "op": "color_jitter", "brightness": 0.1, "contrast": [0.5, 1.5], "saturation": 0.1, "hue": 0.02 },
        { "op": "grayscale", "p": 0.2 },
        { "op": "invert" },
        { "op": "posterize", "bits": 3 },
        { "op": "solarize", "threshold": 100.5 },
        { "op": "autocontrast" },
        { "op": "equalize" },
        { "op": "adjust_sharpness", "sharpness_factor": 1.7 },
        { "op": "gaussian_blur", "kernel_size": [5, 3], "sigma": 1.0 },
        { "op": "gaussian_noise", "sigma": 0.05 },
        { "op": "jpeg", "quality": [20, 90] },
        { "op": "random_erasing", "p": 1.0, "value": "random" },
        { "op": "rand_augment", "num_ops": 3, "magnitude": 14, "interpolation": "bilinear" },
        { "op": "trivial_augment_wide", "fill": [124, 116, 104] },
    ])
}

fn parse(value: Value) -> Result<Transforms, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn formula_picture(height: u32, width: u32) -> Picture {
    let size = ImageSize::new(height, width).unwrap();
    let value = |i: u32| ((f64::from(i) * 0.37).sin() * 127.0 + 128.0) as u8;
    Picture::new(size, (0..3 * size.area()).map(value).collect()).unwrap()
}

fn run(transforms: &Transforms, picture: &Picture, sample: u64, scratch: &mut Scratch) -> Picture {
    let mut stream = Seed(42).stream(Purpose::Augment, [0, sample, 0]);
    let mut picture = picture.clone();
    for draw in transforms.draw(&mut stream, picture.size()) {
        draw.apply(&mut picture, scratch);
    }
    picture
}

#[test]
fn the_same_stream_gives_the_same_pixels_whatever_ran_before() {
    let transforms = parse(busy()).unwrap();
    assert_eq!(transforms.len(), TRANSFORMS.len(), "every row is tried");
    let mut kept = Scratch::default();
    for (height, width) in SIZES {
        let picture = formula_picture(*height, *width);
        let mut changed = 0;
        for sample in 0..20 {
            let fresh = run(&transforms, &picture, sample, &mut Scratch::default());
            assert_eq!(fresh, run(&transforms, &picture, sample, &mut kept), "{height} × {width}, sample {sample}");
            assert_eq!(fresh.size(), picture.size());
            changed += usize::from(fresh != picture);
        }
        assert!(changed > 0, "{height} × {width}");
    }
}

#[test]
fn how_much_one_draws_changes_nothing_for_the_next() {
    let with = |first: Value| parse(json!([first, { "op": "rotation", "degrees": 20 }])).unwrap();
    let size = ImageSize::new(40, 60).unwrap();
    let second = |transforms: &Transforms, sample| {
        let mut stream = Seed(1).stream(Purpose::Augment, [0, sample, 0]);
        transforms.draw(&mut stream, size).swap_remove(1)
    };
    let (one, other) = (with(json!({ "op": "random_erasing" })), with(json!({ "op": "horizontal_flip" })));
    for sample in 0..50 {
        assert_eq!(second(&one, sample), second(&other, sample));
    }
}

#[test]
fn a_probability_of_zero_changes_nothing() {
    let picture = formula_picture(20, 30);
    for row in TRANSFORMS.iter().filter(|row| row.options.iter().any(|option| option.name == "p")) {
        let transforms = parse(json!([{ "op": row.op, "p": 0.0 }])).unwrap();
        for sample in 0..20 {
            assert_eq!(run(&transforms, &picture, sample, &mut Scratch::default()), picture, "{}", row.op);
        }
    }
}

#[test]
fn flipping_twice_is_nothing() {
    for (height, width) in SIZES {
        for draw in [Draw::HorizontalFlip, Draw::VerticalFlip] {
            let mut picture = formula_picture(*height, *width);
            draw.apply(&mut picture, &mut Scratch::default());
            draw.apply(&mut picture, &mut Scratch::default());
            assert_eq!(picture, formula_picture(*height, *width));
        }
    }
}

#[test]
fn flips_happen_as_often_as_their_probability_says() {
    let transforms = parse(json!([{ "op": "horizontal_flip", "p": 0.3 }])).unwrap();
    let size = ImageSize::new(4, 4).unwrap();
    let drawn = |sample| transforms.draw(&mut Seed(3).stream(Purpose::Augment, [0, sample, 0]), size).remove(0);
    let flips = (0..4000).filter(|sample| drawn(*sample) == Draw::HorizontalFlip).count() as f64;
    // Five standard deviations.
    assert!((flips - 1200.0).abs() < 5.0 * (4000.0f64 * 0.3 * 0.7).sqrt(), "{flips}");
}

#[test]
fn every_kind_of_change_is_chosen_as_often() {
    let size = ImageSize::new(20, 20).unwrap();
    let drawn = |op: &str, sample| {
        let transforms = parse(json!([{ "op": op }])).unwrap();
        transforms.draw(&mut Seed(4).stream(Purpose::Augment, [0, sample, 0]), size).remove(0)
    };
    // Kinds of change in 14 that end as this draw.
    type Is = fn(&Draw) -> bool;
    let kinds: [(Is, f64); 8] = [
        (|draw| *draw == Draw::Nothing, 1.0),
        (|draw| matches!(draw, Draw::Warp(_)), 5.0),
        (|draw| matches!(draw, Draw::ColorJitter(_)), 3.0),
        (|draw| matches!(draw, Draw::Sharpness(_)), 1.0),
        (|draw| matches!(draw, Draw::Posterize(_)), 1.0),
        (|draw| matches!(draw, Draw::Solarize(_)), 1.0),
        (|draw| *draw == Draw::Autocontrast, 1.0),
        (|draw| *draw == Draw::Equalize, 1.0),
    ];
    let trivial: Vec<Draw> = (0..2800).map(|sample| drawn("trivial_augment_wide", sample)).collect();
    let two = (0..1400).map(|sample| drawn("rand_augment", sample));
    let rand: Vec<Draw> = two
        .flat_map(|draw| match draw {
            Draw::Several(draws) => draws,
            other => panic!("{other:?}"),
        })
        .collect();
    for draws in [trivial, rand] {
        assert_eq!(draws.len(), 2800);
        for (place, (is_it, share)) in kinds.iter().enumerate() {
            let (count, expected) = (draws.iter().filter(|draw| is_it(draw)).count() as f64, 200.0 * share);
            // Five standard deviations.
            assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{place}: {count}");
        }
    }
}

#[test]
fn the_table_states_every_option_and_its_default() {
    for row in TRANSFORMS {
        let transforms = parse(json!([{ "op": row.op }])).unwrap();
        let entry = &transforms.entries()[0];
        let stated: Map<String, Value> = std::iter::once(("op".to_owned(), json!(row.op)))
            .chain(
                row.options
                    .iter()
                    .map(|option| (option.name.to_owned(), serde_json::from_str(option.default).unwrap())),
            )
            .collect();
        for (key, value) in entry {
            assert!(same(value, &stated[key]), "{} {key}: {value} is stated as {}", row.op, stated[key]);
        }
        assert_eq!(entry.len(), stated.len(), "{}", row.op);
        assert!(row.doc.ends_with('.') && row.options.iter().all(|option| option.doc.ends_with('.')), "{}", row.op);
    }
}

/// Equal as numbers to four digits: 1 is 1.0, and 1.3333 stands for 4/3.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() < 1e-4,
            _ => one == other,
        },
    }
}

#[test]
fn what_is_written_is_read_again() {
    let transforms = parse(busy()).unwrap();
    let written = serde_json::to_value(&transforms).unwrap();
    assert_eq!(parse(written).unwrap(), transforms);
}

#[test]
fn a_set_is_its_list() {
    for set in TRANSFORM_SETS {
        let transforms = parse(json!(set.name)).unwrap();
        assert!(transforms.as_recipe().all(|entry| entry.starts_with("{ op = \"") && entry.ends_with(" }")));
        // Written, it says what it is made of.
        let written = serde_json::to_value(&transforms).unwrap();
        assert_eq!(parse(written.clone()).unwrap(), transforms);
        for entry in written.as_array().unwrap() {
            assert!(set.as_recipe().contains(&format!("op = {}", entry["op"])), "{}", set.as_recipe());
        }
    }
    assert_eq!(parse(json!("a5")).unwrap_err(), "there is no set of transforms \"a5\"; there are a1, a2, a3, a4");
    assert!(parse(json!(5)).unwrap_err().starts_with("a list of transforms, or the name of one"));
}

#[test]
fn a_wrong_entry_is_named_with_what_would_be_right() {
    let cases = [
        (json!([{ "p": 0.5 }]), "transform 1 has no `op = \"…\"` that names it"),
        (
            json!([{ "op": "vertical_flip" }, { "op": "horizontal_flipp" }]),
            "transform 2: there is no transform \"horizontal_flipp\"; the nearest name is `horizontal_flip`",
        ),
        (
            json!([{ "op": "rotation", "degreees": 20 }]),
            "transform 1: `rotation` has no option \"degreees\"; the nearest name is `degrees`",
        ),
        (json!([{ "op": "vertical_flip", "x": 20 }]), "transform 1: `vertical_flip` has no option \"x\"; there are p"),
        (
            json!([{ "op": "rotation", "degrees": "20" }]),
            "transform 1: `rotation`: `degrees` is \"20\"; it must be a number, or two numbers in brackets",
        ),
        (
            json!([{ "op": "horizontal_flip", "p": true }]),
            "transform 1: `horizontal_flip`: `p` is true; it must be a number",
        ),
        (
            json!([{ "op": "horizontal_flip", "p": 1.5 }]),
            "transform 1: `horizontal_flip`: `p` is 1.5; it must lie between 0 and 1",
        ),
        (
            json!([{ "op": "rotation", "degrees": [20, -20] }]),
            "transform 1: `rotation`: `degrees` is [20, -20]; it must be two numbers, the smaller first",
        ),
        (json!([{ "op": "gaussian_blur", "kernel_size": 4 }]), "`kernel_size` is 4; it must be odd and at most 99"),
        (json!([{ "op": "color_jitter", "hue": 0.6 }]), "`hue` reaches from -0.6 to 0.6; it must lie between"),
        (json!([{ "op": "affine", "scale": [0, 1] }]), "`scale` is [0, 1]; both must be above 0"),
        (json!([{ "op": "rotation", "fill": 300 }]), "a gray value from 0 to 255"),
        (json!([{ "op": "keras_affine", "zoom_range": 1.0 }]), "`zoom_range` reaches from 0 to 2"),
        (json!([{ "op": "random_erasing", "value": "black" }]), "or \"random\""),
        (json!([{ "op": "posterize", "bits": 9 }]), "`bits` is 9; it must lie between 1 and 8"),
        (json!([{ "op": "posterize", "bits": 2.5 }]), "`bits` is 2.5; it must be a whole number"),
        (json!([{ "op": "solarize", "threshold": -1 }]), "`threshold` is -1; it must lie between 0 and 256"),
        (json!([{ "op": "adjust_sharpness", "sharpness_factor": -0.1 }]), "it must lie between 0 and 1000"),
        (json!([{ "op": "perspective", "distortion_scale": 1.1 }]), "`distortion_scale` is 1.1; it must lie between"),
        (json!([{ "op": "elastic", "sigma": [5, 0] }]), "`sigma` is 0; it must lie between 0.01 and 100"),
        (json!([{ "op": "elastic", "alpha": "much" }]), "`alpha` is \"much\"; it must be a number, or two numbers"),
        (json!([{ "op": "rand_augment", "magnitude": 31 }]), "`magnitude` is 31; it must lie between 0 and 30"),
        (json!([{ "op": "rand_augment", "num_ops": -1 }]), "`num_ops` is -1; it must be a whole number"),
        (json!([{ "op": "trivial_augment_wide", "num_magnitude_bins": 1 }]), "`num_magnitude_bins` is 1; it must lie"),
        (json!([{ "op": "jpeg", "quality": 0 }]), "`quality` reaches from 0 to 0; it must lie between 1 and 100"),
        (json!([{ "op": "jpeg", "quality": [90, 20] }]), "`quality` reaches from 90 to 20"),
        (json!([{ "op": "jpeg", "quality": 300 }]), "a whole number from 1 to 100, or two of them in brackets"),
    ];
    for (entries, expected) in cases {
        let error = parse(entries).unwrap_err();
        assert!(error.contains(expected), "{error}\nshould say\n{expected}");
    }
}
