//! The larger networks equal PyTorch's in float64: `scripts/golden_backbones.py`.

use std::collections::BTreeSet;

use avizor_engine::{CompileOptions, Graph, Program, State, Trainable};
use avizor_kernels::Cpu;
use serde_json::Value;

use crate::case::Case;
use crate::formula::{self, places, projections};
use crate::golden::{Golden, numbers, relative};
use crate::level::level;

/// The largest relative distances.
const LOGITS: f64 = 1e-4;
const STATISTICS: f64 = 1e-5;
const GRADIENT: f64 = 1e-4;

#[test]
fn resnet50_without_jumps() {
    check_step("resnet50_twin", |_| GRADIENT);
}

#[test]
fn mobilenet_v2_without_jumps() {
    check_step("mobilenet_v2_twin", |_| GRADIENT);
}

#[test]
fn efficientnet_lite0_without_jumps() {
    check_step("tf_efficientnet_lite0_twin", |_| GRADIENT);
}

#[test]
fn efficientnet_b0() {
    check_step("efficientnet_b0", |_| GRADIENT);
}

#[test]
fn convnext_tiny() {
    check_step("convnext_tiny", |_| 3.0 * torch_float32("convnext_tiny"));
}

#[test]
fn vit_small() {
    check_step("vit_small_patch16_224", |_| 3.0 * torch_float32("vit_small_patch16_224"));
}

#[test]
fn squeezenet_without_jumps() {
    check_step("squeezenet1_1_twin", thrice_torchs);
}

#[test]
fn mobilenet_v3_without_jumps() {
    check_step("mobilenet_v3_large_twin", thrice_torchs);
}

#[test]
fn listed_layers() {
    check_step("custom_residual", thrice_torchs);
}

#[test]
fn logits_of_every_network() {
    let golden = Golden::open("backbones_logits");
    let mut wrong = Wrong::default();
    for (name, golden) in golden.file["cases"].as_object().unwrap() {
        check_logits(name, golden, &mut wrong);
    }
    wrong.none();
}

/// The largest distance of a gradient that PyTorch computes in float32.
fn torch_float32(name: &str) -> f64 {
    let golden = Golden::open(name).file;
    let rows = golden["gradients"].as_object().unwrap().values();
    rows.map(|row| row["torch_float32"].as_f64().unwrap()).fold(0.0, f64::max)
}

/// How far a gradient may be: three times as far as PyTorch's in float32.
fn thrice_torchs(row: &Value) -> f64 {
    3.0 * row["torch_float32"].as_f64().unwrap()
}

/// Logits, gradients (no further away than told) and running statistics.
fn check_step(name: &str, most: fn(&Value) -> f64) {
    let golden = Golden::open(name).file;
    let mut wrong = Wrong::default();
    let ready = check_logits(name, &golden, &mut wrong);
    let mut index = State::new(&ready.graph);
    places(&mut index);
    let place = |name: &str| index.get(name).unwrap().iter().map(|&place| place as usize);
    let names: Vec<&str> = [&golden["gradients"], &golden["statistics"]]
        .into_iter()
        .flat_map(|rows| rows.as_object().unwrap().keys().map(String::as_str))
        .collect();
    let ours: BTreeSet<&str> = ready.state.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), ours, "{name}: parameters");
    let mut worst: (f64, &str) = (0.0, "");
    for (parameter, row) in golden["gradients"].as_object().unwrap() {
        let distance = distance(place(parameter).zip(ready.state.gradient(parameter).unwrap().iter().copied()), row);
        wrong.judge(name, &format!("gradient of {parameter}"), distance, most(row));
        worst = if distance > worst.0 { (distance, parameter) } else { worst };
    }
    for (parameter, row) in golden["statistics"].as_object().unwrap() {
        let distance = distance(place(parameter).zip(ready.state.get(parameter).unwrap().iter().copied()), row);
        wrong.judge(name, parameter, distance, STATISTICS);
    }
    println!("{name}: worst gradient {:.1e} ({})", worst.0, worst.1);
    wrong.none();
}

/// Infers, then trains a step.
fn check_logits(name: &str, golden: &Value, wrong: &mut Wrong) -> Ready {
    let mut ready = Ready::new(&Case(&golden["case"]));
    ready.run(&CompileOptions::infer());
    let distance = relative(&ready.logits, &numbers(&golden["inference_logits"]));
    println!("{name}: logits in inference {distance:.1e}");
    wrong.judge(name, "logits in inference", distance, LOGITS);
    if golden.get("logits").is_some() {
        let torch = &golden["torch_float32_logits"];
        let loss = ready.run(&CompileOptions::train("loss", Trainable::All));
        let distance = relative(&ready.logits, &numbers(&golden["logits"]));
        println!("{name}: logits in training {distance:.1e} (torch float32 {torch})");
        wrong.judge(name, "logits in training", distance, LOGITS);
        let want = golden["loss"].as_f64().unwrap();
        wrong.judge(name, "loss", (loss - want).abs() / want, LOGITS);
    }
    ready
}

/// What is further away than it may be.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn judge(&mut self, name: &str, what: &str, got: f64, most: f64) {
        if got.is_nan() || got > most {
            self.0.push(format!("{name}: {what} is {got:.2e} away, at most {most:.1e} is right"));
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// A network with formula weights and its batch.
struct Ready {
    graph: Graph,
    cpu: Cpu,
    state: State,
    image: Vec<f32>,
    labels: Vec<i32>,
    /// Of the last run.
    logits: Vec<f32>,
}

impl Ready {
    fn new(case: &Case<'_>) -> Self {
        let graph = case.graph();
        let (seed, batch) = (case.number("seed") as u64, case.number("batch"));
        let mut state = State::new(&graph);
        formula::fill(&mut state, seed);
        let image = formula::image(seed, batch, case.number("size"));
        let labels = formula::labels(seed, batch, case.number("classes"));
        let cpu = Cpu::new(2, level());
        Self { graph, cpu, state, image, labels, logits: Vec::new() }
    }

    /// Gives the loss.
    fn run(&mut self, options: &CompileOptions) -> f64 {
        let Self { graph, cpu, state, image, labels, logits } = self;
        let program = Program::compile(graph, options, cpu, state).unwrap();
        state.input_f32_mut(&program, "image").copy_from_slice(image);
        state.input_i32_mut(&program, "labels").copy_from_slice(labels);
        program.run(cpu, state);
        *logits = state.output(&program, "logits").to_vec();
        f64::from(state.output(&program, "loss")[0])
    }
}

/// Estimate of a tensor's distance from the golden one by its projections, relative to its norm or what stands for it.
fn distance(values: impl Iterator<Item = (usize, f32)>, row: &Value) -> f64 {
    let want = numbers(&row["projections"]);
    let got = projections(values, want.len());
    let square: f64 = got.iter().zip(&want).map(|(got, want)| (got - want).powi(2)).sum();
    (square / want.len() as f64).sqrt() / row["measure"].as_f64().or(row["norm"].as_f64()).unwrap()
}
