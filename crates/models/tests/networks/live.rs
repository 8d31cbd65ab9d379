//! Networks equal PyTorch's on weights that PyTorch wrote a moment ago: `scripts/check_networks.py` runs this.
//!
//! A folder holds files of the same weights in several formats, `case.json` (the network, the names of those files and how
//! far each gradient may be) and `expected.safetensors`: a batch, and what PyTorch in float64 says of it.

#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};

use avizor_engine::{CompileOptions, Graph, Program, State, Trainable};
use avizor_kernels::Cpu;
use avizor_kernels::conv2d::Conv2dMethods;
use avizor_models::load_weights;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::case::Case;
use crate::formula::places;
use crate::golden::relative;
use crate::level::level;

/// The largest relative distances.
const LOGITS: f64 = 1e-4;
const STATISTICS: f64 = 1e-5;

#[test]
fn weights_that_pytorch_just_wrote_say_the_same_here() {
    let Some(folder) = std::env::var_os("AVIZOR_LIVE").map(PathBuf::from) else {
        let name = "weights_that_pytorch_just_wrote_say_the_same_here";
        eprintln!("skipped: {name} needs AVIZOR_LIVE, which scripts/check_networks.py sets");
        return;
    };
    let case: Value = serde_json::from_slice(&std::fs::read(folder.join("case.json")).unwrap()).unwrap();
    let expected = std::fs::read(folder.join("expected.safetensors")).unwrap();
    let expected = Expected(SafeTensors::deserialize(&expected).unwrap());
    let graph = Case(&case["case"]).graph();
    let state = loaded(&folder, &case["files"], &graph);
    let measured = measure(&graph, state, &case, &expected);
    println!("measured: {}", measured.json());
    assert!(measured.wrong.is_empty(), "{}", measured.wrong.join("\n"));
}

/// What PyTorch says.
struct Expected<'b>(SafeTensors<'b>);

impl Expected<'_> {
    fn numbers(&self, name: &str) -> Vec<f64> {
        let tensor = self.0.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let data = tensor.data();
        match tensor.dtype() {
            Dtype::F64 => data.as_chunks().0.iter().map(|&word| f64::from_le_bytes(word)).collect(),
            Dtype::F32 => data.as_chunks().0.iter().map(|&word| f64::from(f32::from_le_bytes(word))).collect(),
            Dtype::I32 => data.as_chunks().0.iter().map(|&word| f64::from(i32::from_le_bytes(word))).collect(),
            other => panic!("{name} is of {other:?}"),
        }
    }

    /// Names that begin so, without that.
    fn named(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<_> =
            self.0.names().into_iter().filter_map(|name| name.strip_prefix(prefix)).map(str::to_owned).collect();
        names.sort();
        names
    }
}

/// The weights, which are the same in every file to the bit.
fn loaded(folder: &Path, files: &Value, graph: &Graph) -> State {
    let mut states = files.as_array().unwrap().iter().map(|file| {
        let file = file.as_str().unwrap();
        let mut state = State::new(graph);
        let report =
            load_weights(&folder.join(file), &mut state, None).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!((report.loaded, report.replaced_head), (state.parameters().len(), None), "{file}");
        (file, state)
    });
    let (first_file, first) = states.next().unwrap();
    for (file, state) in states {
        for parameter in first.parameters() {
            let bits =
                |state: &State| state.get(&parameter.name).unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert!(bits(&first) == bits(&state), "{} of {file} is another than in {first_file}", parameter.name);
        }
    }
    first
}

/// Distances, and the sentences about those that are too large.
#[derive(Default)]
struct Measured {
    inference: f64,
    training: f64,
    statistics: f64,
    /// The largest gradient's distance, and the largest share of what one may be, with its name.
    gradient: f64,
    share: (f64, String),
    /// Of every gradient.
    distances: serde_json::Map<String, Value>,
    wrong: Vec<String>,
}

impl Measured {
    /// Gives back the distance.
    fn judge(&mut self, what: &str, distance: f64, most: f64) -> f64 {
        if distance.is_nan() || distance > most {
            self.wrong.push(format!("{what} is {distance:.2e} away, at most {most:.1e} is right"));
        }
        distance
    }

    fn json(&self) -> Value {
        let Self { inference, training, statistics, gradient, share: (share, name), distances, wrong } = self;
        serde_json::json!({
            "inference": inference, "training": training, "statistics": statistics, "gradient": gradient,
            "share": share, "share_of": name, "distances": distances, "wrong": wrong,
        })
    }
}

fn measure(graph: &Graph, mut state: State, case: &Value, expected: &Expected<'_>) -> Measured {
    let mut measured = Measured::default();
    let (logits, _) = run(graph, &mut state, expected, &CompileOptions::infer());
    let distance = relative(&logits, &expected.numbers("inference_logits"));
    measured.inference = measured.judge("inference logits", distance, LOGITS);

    let (logits, loss) = run(graph, &mut state, expected, &CompileOptions::train("loss", Trainable::All));
    measured.training = measured.judge("training logits", relative(&logits, &expected.numbers("logits")), LOGITS);
    let want = expected.numbers("loss")[0];
    measured.judge("loss", (loss - want).abs() / want, LOGITS);

    let mut seen = 0;
    let mut index = State::new(graph);
    places(&mut index);
    for name in expected.named("gradient.") {
        let bound = &case["bounds"][&name];
        let want = expected.numbers(&format!("gradient.{name}"));
        let place = index.get(&name).unwrap_or_else(|| panic!("{name} is no parameter here"));
        let got = state.gradient(&name).unwrap();
        let differences = place.iter().zip(got).map(|(&place, &got)| f64::from(got) - want[place as usize]);
        let distance = norm(differences) / bound["measure"].as_f64().unwrap_or_else(|| norm(want.iter().copied()));
        let most = bound["most"].as_f64().unwrap();
        measured.judge(&format!("gradient of {name}"), distance, most);
        measured.gradient = measured.gradient.max(distance);
        if distance / most > measured.share.0 {
            measured.share = (distance / most, name.clone());
        }
        measured.distances.insert(name, distance.into());
        seen += 1;
    }
    for name in expected.named("statistics.") {
        let distance = relative(&state.read_disk(&name).unwrap(), &expected.numbers(&format!("statistics.{name}")));
        measured.statistics = measured.statistics.max(measured.judge(&name, distance, STATISTICS));
        seen += 1;
    }
    assert_eq!(seen, state.parameters().len(), "every parameter has a gradient or is a statistic");
    measured
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

/// Logits and loss.
fn run(graph: &Graph, state: &mut State, expected: &Expected<'_>, options: &CompileOptions) -> (Vec<f32>, f64) {
    let is_direct = std::env::var_os("AVIZOR_LIVE_DIRECT").is_some();
    let methods = if is_direct { Conv2dMethods::Direct } else { Conv2dMethods::Auto };
    let cpu = Cpu::new(2, level()).with_conv2d_methods(methods);
    let program = Program::compile(graph, options, &cpu, state).unwrap();
    for (have, want) in state.input_f32_mut(&program, "image").iter_mut().zip(expected.numbers("image")) {
        *have = want as f32;
    }
    for (have, want) in state.input_i32_mut(&program, "labels").iter_mut().zip(expected.numbers("labels")) {
        *have = want as i32;
    }
    program.run(&cpu, state);
    (state.output(&program, "logits").to_vec(), f64::from(state.output(&program, "loss")[0]))
}
