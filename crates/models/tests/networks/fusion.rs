//! Networks that read metadata equal PyTorch's in float64: `scripts/golden_fusion.py`.

use std::collections::{BTreeMap, BTreeSet};

use avizor_base::{ImageSize, Preprocess};
use avizor_engine::ops::{self, Unary};
use avizor_engine::{CompileOptions, DType, Graph, GraphBuilder, Program, State, Trainable};
use avizor_kernels::Cpu;
use avizor_models::{
    MetadataOptions, MetadataRole, NETWORKS, NetworkOptions, Outputs, PlainHead, Pool, ResNet, Stages, Stem,
    build_network, find, fuse,
};
use serde_json::Value;

use crate::formula::{self, places, projections};
use crate::golden::{Golden, numbers, relative};
use crate::level::level;

/// The largest relative distance of logits and of any gradient.
const LOGITS: f64 = 1e-4;
const GRADIENT: f64 = 1e-4;
/// All gradients' distance over that of PyTorch's float32.
const MOST: f64 = 3.0;

#[test]
fn logits_and_gradients_are_pytorchs() {
    let golden = Golden::open("fusion").file;
    let mut wrong = Vec::new();
    for (name, golden) in golden["cases"].as_object().unwrap() {
        check(name, golden, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(name: &str, golden: &Value, wrong: &mut Vec<String>) {
    let case = &golden["case"];
    let mut judge = |what: &str, got: f64, most: f64| {
        println!("{name}: {what} {got:.1e} (at most {most:.1e})");
        if got.is_nan() || got > most {
            wrong.push(format!("{name}: {what} is {got:.2e} away, at most {most:.1e} is right"));
        }
    };
    let (graph, outputs) = graph(case);
    let mut ready = Ready::new(case, &graph);
    ready.run(&graph, &CompileOptions::infer());
    judge("logits in inference", relative(&ready.logits, &numbers(&golden["inference_logits"])), LOGITS);
    let loss = ready.run(&graph, &CompileOptions::train("loss", Trainable::All));
    judge("logits in training", relative(&ready.logits, &numbers(&golden["logits"])), LOGITS);
    let want = golden["loss"].as_f64().unwrap();
    judge("loss", (loss - want).abs() / want, LOGITS);
    assert_eq!(outputs.head, "head");
    let Some(rows) = golden.get("gradients") else { return };

    let mut index = State::new(&graph);
    places(&mut index);
    let (mut ours, mut torch) = (0.0, 0.0);
    let mut named = BTreeSet::new();
    for (parameter, row) in rows.as_object().unwrap() {
        let at = index.get(parameter).unwrap().iter().map(|&place| place as usize);
        let distance = distance(at.zip(ready.state.gradient(parameter).unwrap().iter().copied()), row);
        judge(&format!("gradient of {parameter}"), distance, GRADIENT);
        ours += distance.powi(2);
        torch += row["torch_float32"].as_f64().unwrap().powi(2);
        named.insert(parameter.as_str());
    }
    judge("all gradients, in distances of PyTorch's float32,", (ours / torch).sqrt(), MOST);
    let have = ready.state.parameters().iter().filter(|parameter| !parameter.is_statistic());
    assert_eq!(have.map(|parameter| parameter.name.as_str()).collect::<BTreeSet<_>>(), named, "{name}");
}

fn options(case: &Value) -> NetworkOptions {
    let number = |option: &str| case[option].as_u64().unwrap() as usize;
    let sizes = |option: &str| numbers(&case[option]).into_iter().map(|size| size as usize).collect();
    let role = if case["role"] == "joined" { MetadataRole::Joined } else { MetadataRole::Alone };
    let metadata = MetadataOptions { width: number("metadata"), role, hidden: sizes("hidden") };
    let stem = if case["stem"] == "small" { Stem::Small } else { Stem::Imagenet };
    NetworkOptions { stem, head: sizes("head"), metadata: Some(metadata), ..NetworkOptions::new(number("classes")) }
}

/// Logits and loss behind a picture of floats and metadata.
fn graph(case: &Value) -> (Graph, Outputs) {
    let [batch, size] = ["batch", "size"].map(|option| case[option].as_u64().unwrap() as usize);
    let options = options(case);
    let mut graph = GraphBuilder::new();
    let outputs = if options.sees_pictures() {
        let image = graph.input("image", DType::F32, [batch, size, size, 3]);
        let network = match case["smooth"].as_bool().unwrap() {
            true => ResNet { activation: Unary::Silu, pool: Pool::Average, ..ResNet::R18 },
            false => ResNet::R18,
        };
        let outputs = network.build(&mut graph, image, &options).unwrap();
        fuse(&mut graph, outputs, &options).unwrap()
    } else {
        build_network(&mut graph, find("resnet18").unwrap(), &options, &small(), batch).unwrap()
    };
    let labels = graph.input("labels", DType::I32, [batch]);
    let loss = graph.apply("loss", ops::CrossEntropy::default(), &[outputs.logits, labels]).unwrap();
    graph.output("logits", outputs.logits);
    graph.output("loss", loss);
    (graph.finish().unwrap(), outputs)
}

fn small() -> Preprocess {
    Preprocess::new(ImageSize::new(64, 64).unwrap())
}

/// A network with formula weights and its batch.
struct Ready {
    cpu: Cpu,
    state: State,
    image: Vec<f32>,
    metadata: Vec<f32>,
    labels: Vec<i32>,
    /// Of the last run.
    logits: Vec<f32>,
}

impl Ready {
    fn new(case: &Value, graph: &Graph) -> Self {
        let number = |option: &str| case[option].as_u64().unwrap() as usize;
        let (seed, batch) = (number("seed") as u64, number("batch"));
        let mut state = State::new(graph);
        formula::fill(&mut state, seed);
        Self {
            cpu: Cpu::new(2, level()),
            state,
            image: formula::image(seed, batch, number("size")),
            metadata: formula::metadata(seed, batch * number("metadata")),
            labels: formula::labels(seed, batch, number("classes")),
            logits: Vec::new(),
        }
    }

    /// Gives the loss.
    fn run(&mut self, graph: &Graph, options: &CompileOptions) -> f64 {
        let Self { cpu, state, image, metadata, labels, logits } = self;
        let program = Program::compile(graph, options, cpu, state).unwrap();
        if program.has_input("image") {
            state.input_f32_mut(&program, "image").copy_from_slice(image);
        }
        state.input_f32_mut(&program, "metadata").copy_from_slice(metadata);
        state.input_i32_mut(&program, "labels").copy_from_slice(labels);
        program.run(cpu, state);
        *logits = state.output(&program, "logits").to_vec();
        f64::from(state.output(&program, "loss")[0])
    }
}

/// Estimate of a tensor's distance from the golden one by its projections, relative to what measures it.
fn distance(values: impl Iterator<Item = (usize, f32)>, row: &Value) -> f64 {
    let want = numbers(&row["projections"]);
    let got = projections(values, want.len());
    let square: f64 = got.iter().zip(&want).map(|(got, want)| (got - want).powi(2)).sum();
    (square / want.len() as f64).sqrt() / row["norm"].as_f64().unwrap()
}

fn some_metadata(role: MetadataRole) -> NetworkOptions {
    let metadata = MetadataOptions { width: 3, role, hidden: vec![4] };
    NetworkOptions { dropout: 0.5, head: vec![8], metadata: Some(metadata), ..NetworkOptions::new(5) }
}

/// Shapes of parameters by name, and the network's stages.
fn parts(name: &str, options: &NetworkOptions) -> (BTreeMap<String, String>, Outputs, Stages) {
    let network = find(name).unwrap();
    let preprocess = if name == "mlp" { small() } else { network.preprocess() };
    let mut graph = GraphBuilder::new();
    let outputs = build_network(&mut graph, network, options, &preprocess, 1).unwrap();
    let graph = graph.finish().unwrap();
    let stages = Stages::new(&graph, &outputs);
    let parameters = graph.parameters().map(|(name, shape, _)| (name.to_owned(), shape.to_string())).collect();
    (parameters, outputs, stages)
}

/// Freezing goes by stages: the head is the last of them, whatever the network.
#[test]
fn the_last_stage_of_every_network_is_its_head() {
    for network in NETWORKS {
        let (plain, outputs, stages) = parts(network.name, &NetworkOptions::new(5));
        let last = stages.names().len() - 1;
        for parameter in plain.keys() {
            assert_eq!(stages.of(parameter) == last, outputs.is_head(parameter), "{}: {parameter}", network.name);
        }
        let (fused, joined, stages) = parts(network.name, &some_metadata(MetadataRole::Joined));
        let is_new = |name: &str| name.starts_with("meta.") || name.starts_with("head.");
        for parameter in fused.keys() {
            let last = stages.of(parameter) == stages.names().len() - 1;
            assert_eq!(last, is_new(parameter), "{}: {parameter}", network.name);
        }
        let below = |of: &BTreeMap<String, String>, but: &dyn Fn(&str) -> bool| {
            of.iter().filter(|(name, _)| !but(name)).map(|(name, shape)| (name.clone(), shape.clone())).collect()
        };
        let left: BTreeMap<String, String> = below(&fused, &is_new);
        assert_eq!(left, below(&plain, &|name| outputs.is_head(name)), "{}", network.name);
        assert_eq!(joined.plain_head.is_some(), outputs.plain_head.is_some(), "{}", network.name);
        assert!(matches!(joined.plain_head, None | Some(PlainHead::Fused)));
    }
}

#[test]
fn metadata_alone_need_no_network_for_pictures() {
    let (parameters, outputs, stages) = parts("resnet18", &some_metadata(MetadataRole::Alone));
    let shapes: Vec<String> = parameters.iter().map(|(name, shape)| format!("{name} {shape}")).collect();
    let wanted = [
        "head.0.bias 8",
        "head.0.weight 4×8",
        "head.3.bias 5",
        "head.3.weight 8×5",
        "meta.0.bias 4",
        "meta.0.weight 3×4",
    ];
    assert_eq!(shapes, wanted);
    assert_eq!((stages.names().len(), outputs.plain_head), (1, None));
}
