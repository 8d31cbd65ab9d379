//! Twenty steps of training stay as close to float64 as PyTorch's float32 does.

use avizor_engine::{Group, Optimizer, OptimizerKind};
use serde_json::Value;

use crate::golden::{Golden, Ready, numbers};

/// Our distance over PyTorch's, medians of the seeds.
const MOST: f64 = 2.0;

/// What the script sets besides the learning rate: the optimizer and its weight decay.
fn optimizer(name: &str) -> (OptimizerKind, f64) {
    match name {
        "sgd" => (OptimizerKind::sgd(0.9), 1e-4),
        "nesterov" => (OptimizerKind::Sgd { momentum: 0.9, dampening: 0.0, nesterov: true }, 1e-4),
        "adam" => (OptimizerKind::ADAM, 1e-4),
        "adamw" => (OptimizerKind::ADAM_W, 1e-2),
        "rmsprop" => (OptimizerKind::RMS_PROP, 1e-4),
        other => panic!("the golden file names the optimizer {other}"),
    }
}

#[test]
fn of_a_residual_network() {
    check("resnet18_trajectories");
}

#[test]
fn of_the_small_network() {
    check("small_cnn_trajectories");
}

fn check(name: &str) {
    let golden = Golden::open(name);
    let mut wrong = Vec::new();
    for (optimizer, runs) in golden.file["trajectories"].as_object().unwrap() {
        let lr = golden.file["case"]["lr"][optimizer].as_f64().unwrap();
        let (mut ours, mut torch) = (Vec::new(), Vec::new());
        for run in runs.as_array().unwrap() {
            let exact = numbers(&run["float64"]);
            torch.push(distance(&numbers(&run["float32"]), &exact));
            ours.push(distance(&losses(&golden, optimizer, lr, run), &exact));
        }
        println!("{name} {optimizer}, by seed: ours {}, torch float32 {}", list(&ours), list(&torch));
        let (ours, torch) = (median(ours), median(torch));
        println!("{name} {optimizer}: {ours:.2e} from float64, torch float32 {torch:.2e}, ratio {:.2}", ours / torch);
        if ours.is_nan() || ours > MOST * torch {
            wrong.push(format!("{name}, {optimizer}: {ours:.2e} from float64, torch float32 is {torch:.2e}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn losses(golden: &Golden, name: &str, lr: f64, run: &Value) -> Vec<f64> {
    let mut ready = Ready::train(golden, run["seed"].as_u64().unwrap());
    let (kind, weight_decay) = optimizer(name);
    let trained = ready.state.parameters().iter().filter(|parameter| !parameter.is_statistic());
    let parameters = trained.map(|parameter| parameter.name.clone()).collect();
    let group = Group { parameters, lr_scale: 1.0, weight_decay };
    let optimizer = Optimizer::new(kind, &mut ready.state, &[group]).unwrap();
    let steps = 0..golden.number("steps");
    steps
        .map(|_| {
            let loss = ready.run();
            optimizer.step(&ready.cpu, &mut ready.state, lr);
            loss
        })
        .collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (square / a.len() as f64).sqrt()
}

fn list(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.1e}")).collect::<Vec<_>>().join(" ")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
