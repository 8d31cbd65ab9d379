//! What PyTorch computed, and the same network of ours.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{CompileOptions, DType, Graph, GraphBuilder, Program, State, Trainable};
use avizor_kernels::Cpu;
use avizor_models::{NetworkOptions, Pool, ResNet, SmallCnn, Stem};
use serde_json::Value;

use crate::formula;
use crate::level::level;

/// A golden file of `tests/golden`.
pub(crate) struct Golden {
    pub(crate) name: String,
    pub(crate) file: Value,
}

impl Golden {
    pub(crate) fn open(name: &str) -> Self {
        let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { name: name.to_owned(), file: serde_json::from_str(&text).unwrap() }
    }

    fn case(&self, option: &str) -> &Value {
        &self.file["case"][option]
    }

    pub(crate) fn number(&self, option: &str) -> usize {
        self.case(option).as_u64().unwrap() as usize
    }

    /// Logits and loss of the case's network on a batch of floats.
    pub(crate) fn graph(&self) -> Graph {
        let (batch, size, classes) = (self.number("batch"), self.number("size"), self.number("classes"));
        let mut graph = GraphBuilder::new();
        let image = graph.input("image", DType::F32, [batch, size, size, 3]);
        let labels = graph.input("labels", DType::I32, [batch]);
        let (activation, pool) = match self.case("smooth").as_bool().unwrap() {
            true => (Unary::Silu, Pool::Average),
            false => (Unary::Relu, Pool::Max),
        };
        let stem = if self.case("stem") == "small" { Stem::Small } else { Stem::Imagenet };
        let options = NetworkOptions { stem, ..NetworkOptions::new(classes) };
        let outputs = if self.case("network") == "small_cnn" {
            SmallCnn { activation, pool, ..SmallCnn::STUDY }.build(&mut graph, image, &options)
        } else {
            let width = self.case("width").as_u64().map_or(64, |width| width as usize);
            ResNet { activation, pool, width, ..ResNet::R18 }.build(&mut graph, image, &options)
        };
        let logits = outputs.unwrap().logits;
        let loss = graph.apply("loss", ops::CrossEntropy::default(), &[logits, labels]).unwrap();
        graph.output("logits", logits);
        graph.output("loss", loss);
        graph.finish().unwrap()
    }
}

/// A compiled network with formula weights and its batch in place.
pub(crate) struct Ready {
    pub(crate) cpu: Cpu,
    pub(crate) state: State,
    pub(crate) program: Program,
}

impl Ready {
    pub(crate) fn new(golden: &Golden, seed: u64, options: &CompileOptions) -> Self {
        let graph = golden.graph();
        let cpu = Cpu::new(2, level());
        let mut state = State::new(&graph);
        formula::fill(&mut state, seed);
        let program = Program::compile(&graph, options, &cpu, &mut state).unwrap();
        let (batch, size) = (golden.number("batch"), golden.number("size"));
        state.input_f32_mut(&program, "image").copy_from_slice(&formula::image(seed, batch, size));
        let labels = formula::labels(seed, batch, golden.number("classes"));
        state.input_i32_mut(&program, "labels").copy_from_slice(&labels);
        Self { cpu, state, program }
    }

    pub(crate) fn train(golden: &Golden, seed: u64) -> Self {
        Self::new(golden, seed, &CompileOptions::train("loss", Trainable::All))
    }

    pub(crate) fn run(&mut self) -> f64 {
        self.program.run(&self.cpu, &mut self.state);
        f64::from(self.state.output(&self.program, "loss")[0])
    }
}

/// Numbers of a JSON array, nested or not.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

/// ‖got - want‖ / ‖want‖.
pub(crate) fn relative(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let square: f64 = got.iter().zip(want).map(|(&got, want)| (f64::from(got) - want).powi(2)).sum();
    (square / want.iter().map(|want| want * want).sum::<f64>()).sqrt()
}
