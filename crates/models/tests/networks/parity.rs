//! One step of training equals PyTorch's in float64.

use avizor_engine::{CompileOptions, State};
use serde_json::Value;

use crate::formula::{places, projections};
use crate::golden::{Golden, Ready, numbers, relative};

/// The largest relative distances of logits and running statistics.
const LOGITS: f64 = 1e-4;
const STATISTICS: f64 = 1e-5;
/// Of a gradient, in a network without jumps.
const SMOOTH_GRADIENT: f64 = 1e-4;

#[test]
fn resnet18() {
    check("resnet18");
}

#[test]
fn resnet18_at_160_pixels() {
    check("resnet18_160");
}

#[test]
fn resnet18_with_the_small_stem() {
    check("resnet18_small_stem");
}

#[test]
fn resnet18_without_jumps() {
    check("resnet18_twin");
    check("resnet18_small_stem_twin");
}

#[test]
fn small_cnn() {
    check("small_cnn");
    check("small_cnn_76");
}

#[test]
fn small_cnn_without_jumps() {
    check("small_cnn_twin");
}

/// Distances of one case, each with what it may be.
fn check(name: &str) {
    let golden = Golden::open(name);
    let mut wrong = Vec::new();
    let mut judge = |what: String, got: f64, most: f64| {
        if got.is_nan() || got > most {
            wrong.push(format!("{name}: {what} is {got:.7e} away, at most {most:.7e} is right"));
        }
    };

    let mut infer = Ready::new(&golden, golden.number("seed") as u64, &CompileOptions::infer());
    infer.run();
    let logits = relative(infer.state.output(&infer.program, "logits"), &numbers(&golden.file["inference_logits"]));
    judge("inference logits".to_owned(), logits, LOGITS);

    let mut train = Ready::train(&golden, golden.number("seed") as u64);
    let loss = train.run();
    let trained = relative(train.state.output(&train.program, "logits"), &numbers(&golden.file["logits"]));
    judge("training logits".to_owned(), trained, LOGITS);
    let want = golden.file["loss"].as_f64().unwrap();
    judge("loss".to_owned(), (loss - want).abs() / want, LOGITS);

    let mut index = State::new(&golden.graph());
    places(&mut index);
    let place = |name: &str| index.get(name).unwrap().iter().map(|&place| place as usize);
    let (mut worst, mut worst_share): (f64, f64) = (0.0, 0.0);
    for (name, row) in golden.file["gradients"].as_object().unwrap() {
        let values = train.state.gradient(name).unwrap();
        let distance = distance(place(name).zip(values.iter().copied()), row);
        // No further than a float64 run whose convolutions' outputs are disturbed by a millionth.
        let most = row["disturbed_max"].as_f64().unwrap_or(SMOOTH_GRADIENT);
        judge(format!("gradient of {name}"), distance, most);
        worst = worst.max(distance);
        worst_share = worst_share.max(distance / most);
    }
    for (name, row) in golden.file["statistics"].as_object().unwrap() {
        let values = train.state.get(name).unwrap();
        judge(name.clone(), distance(place(name).zip(values.iter().copied()), row), STATISTICS);
    }
    println!(
        "{}: logits {trained:.1e} (inference {logits:.1e}; torch float32 {}), worst gradient {worst:.1e}, worst share of its bound {worst_share:.2}",
        golden.name, golden.file["torch_float32_logits"]
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Estimate of a tensor's relative distance from the golden one, by its projections.
fn distance(values: impl Iterator<Item = (usize, f32)>, row: &Value) -> f64 {
    let want = numbers(&row["projections"]);
    let got = projections(values, want.len());
    let square: f64 = got.iter().zip(&want).map(|(got, want)| (got - want).powi(2)).sum();
    (square / want.len() as f64).sqrt() / row["norm"].as_f64().unwrap()
}
