//! The small network against PyTorch: `scripts/golden_engine.py` made the values.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod network;

use std::collections::BTreeMap;

use avizor_engine::{CompileOptions, OptimizerKind, Program, State};
use avizor_kernels::{Cpu, Level};
use network::{Settings, Trainer, network, optimizer, write_inputs};

const BATCH: usize = 6;

/// Numbers by what they are and whose; more than one line where there are several seeds.
fn golden() -> BTreeMap<(&'static str, &'static str), Vec<Vec<f64>>> {
    let mut all: BTreeMap<_, Vec<Vec<f64>>> = BTreeMap::new();
    for line in include_str!("golden/network.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let key = (words.next().unwrap(), words.next().unwrap());
        all.entry(key).or_default().push(words.map(|word| word.parse().unwrap()).collect());
    }
    all
}

/// The formula of the parameters, in the order of files.
fn set_parameters(state: &mut State, seed: usize) {
    for parameter in state.parameters().to_vec().iter().filter(|parameter| !parameter.is_statistic()) {
        let shape = parameter.disk_shape();
        let phase = 1.3 * parameter.name.bytes().map(f64::from).sum::<f64>() + seed as f64;
        let fan_in: usize = shape[1..].iter().product();
        let value = |i: usize| {
            let wave = (0.37 * i as f64 + phase).sin();
            match shape.len() {
                1 => f64::from(u8::from(parameter.name.ends_with("weight"))) + 0.1 * wave,
                _ => 1.7 * wave / (fan_in as f64).sqrt(),
            }
        };
        let values: Vec<f32> = (0..shape.elements()).map(|i| value(i) as f32).collect();
        state.write_disk(&parameter.name, &shape, &values).unwrap();
    }
}

fn start(seed: usize) -> Trainer {
    let mut trainer = Trainer::new(Settings::smooth(BATCH), Cpu::new(1, Level::best()));
    set_parameters(&mut trainer.state, seed);
    trainer
}

fn check(what: &str, got: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    let size = wanted.iter().map(|wanted| wanted * wanted).sum::<f64>().sqrt();
    let error = got.iter().zip(wanted).map(|(got, wanted)| (got - wanted).powi(2)).sum::<f64>().sqrt() / size;
    assert!(error <= tolerance, "{what}: {error:.1e}\n got {got:?}\n not {wanted:?}");
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

#[test]
fn outputs_gradients_and_statistics_are_those_of_pytorch() {
    let golden = golden();
    let mut trainer = start(0);
    trainer.run(0);
    let logits = wide(trainer.state.output(&trainer.program, "logits"));
    check("logits", &logits, &golden[&("logits", "-")][0], 1e-5);
    for (&(kind, name), values) in &golden {
        match kind {
            "statistic" => check(name, &wide(trainer.state.get(name).unwrap()), &values[0], 1e-5),
            "gradient" => {
                let gradient = in_files_order(&trainer.state, name);
                let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
                let dot: f64 = gradient.iter().enumerate().map(|(i, g)| g * (0.11 * i as f64).cos()).sum();
                // Of the dot product with waves of height 1, an error of 1e-5 in every element leaves this at most.
                let bound = 1e-5 * values[0][0] * (gradient.len() as f64).sqrt();
                assert!((norm - values[0][0]).abs() <= 1e-5 * norm, "{name}: {norm} not {}", values[0][0]);
                assert!((dot - values[0][1]).abs() <= bound, "{name}: {dot} not {}", values[0][1]);
            }
            _ => {}
        }
    }
    let graph = network(Settings::smooth(BATCH));
    let infer = Program::compile(&graph, &CompileOptions::infer(), &trainer.cpu, &mut trainer.state).unwrap();
    write_inputs(&mut trainer.state, &infer, 0, BATCH);
    infer.run(&trainer.cpu, &mut trainer.state);
    check("eval", &wide(trainer.state.output(&infer, "logits")), &golden[&("eval", "-")][0], 1e-5);
}

/// A gradient as files order it: through a state whose values it is.
fn in_files_order(state: &State, name: &str) -> Vec<f64> {
    let gradient = state.gradient(name).unwrap().to_vec();
    let mut other = State::new(&network(Settings::smooth(BATCH)));
    other.get_mut(name).unwrap().copy_from_slice(&gradient);
    wide(&other.read_disk(name).unwrap())
}

/// As close to float64 as PyTorch's own float32: the medians over the seeds of the largest relative error of a loss in
/// 20 steps differ by a factor of at most two.
#[test]
fn every_optimizer_stays_as_close_to_float64_as_pytorch() {
    let golden = golden();
    let kinds = [
        ("sgd", OptimizerKind::sgd(0.0), 0.05),
        ("momentum", OptimizerKind::Sgd { momentum: 0.9, dampening: 0.1, nesterov: false }, 0.02),
        ("nesterov", OptimizerKind::Sgd { momentum: 0.9, dampening: 0.0, nesterov: true }, 0.02),
        ("adam", OptimizerKind::ADAM, 1e-3),
        ("adamw", OptimizerKind::ADAM_W, 1e-3),
        ("rmsprop", OptimizerKind::RmsProp { alpha: 0.99, eps: 1e-8, momentum: 0.5 }, 1e-3),
    ];
    for (name, kind, lr) in kinds {
        let exact = &golden[&("losses", name)];
        let ours: Vec<f64> = (0..exact.len()).map(|seed| largest_error(seed, kind, lr, &exact[seed])).collect();
        let torch = golden[&("torch_f32_error", name)].concat();
        let (ours, torch) = (median(ours), median(torch));
        assert!(ours <= 2.0 * torch, "{name}: {ours:.1e}, PyTorch {torch:.1e}");
    }
}

fn largest_error(seed: usize, kind: OptimizerKind, lr: f64, exact: &[f64]) -> f64 {
    let mut trainer = start(seed);
    let optimizer = optimizer(kind, &mut trainer.state, 1e-2);
    let errors = exact.iter().enumerate().map(|(step, exact)| {
        let loss = f64::from(trainer.run(step as u64));
        optimizer.step(&trainer.cpu, &mut trainer.state, lr);
        (loss / exact - 1.0).abs()
    });
    errors.fold(0.0, f64::max)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
