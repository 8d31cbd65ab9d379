//! The blocks of light networks: expansion, depthwise convolution and projection, as one step in inference, and doing the
//! work of their norms in training.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::collections::BTreeSet;

use avizor_base::Seed;
use avizor_engine::{
    CompileOptions, DType, FrozenNorm, Graph, GraphBuilder, GraphError, ParameterSpec, Pass, Program, State, Trainable,
    Value, evaluate, ops,
};
use avizor_kernels::{Cpu, Level};

const CLASSES: usize = 3;

/// Pictures, their sides, and what follows norms.
#[derive(Clone, Copy)]
struct Settings {
    batch: usize,
    sides: [usize; 2],
    activation: ops::Unary,
}

const SMALL: Settings = Settings { batch: 2, sides: [9, 8], activation: ops::Unary::Relu6 };

impl Settings {
    fn byte(i: usize) -> u8 {
        (i * 37 % 251) as u8
    }

    fn label(i: usize) -> i32 {
        (i * 2 % CLASSES) as i32
    }
}

struct Builder(GraphBuilder, ops::Unary);

impl Builder {
    fn conv(&mut self, name: &str, x: Value, out: usize, kernel: usize, groups: usize) -> Result<Value, GraphError> {
        let input = self.0.shape(x)[3] / groups;
        let weight = [kernel, kernel, input, out];
        let weight = self.0.parameter(&format!("{name}.weight"), weight, ParameterSpec::CONV_WEIGHT);
        let conv = ops::Conv2d { padding: [kernel / 2; 2], groups, ..ops::Conv2d::default() };
        let y = self.0.apply(name, conv, &[x, weight])?;
        let mut inputs = vec![y];
        for (part, spec) in [
            ("weight", ParameterSpec::NORM_WEIGHT),
            ("bias", ParameterSpec::NORM_BIAS),
            ("running_mean", ParameterSpec::RUNNING_MEAN),
            ("running_var", ParameterSpec::RUNNING_VAR),
        ] {
            inputs.push(self.0.parameter(&format!("{name}.norm.{part}"), [out], spec));
        }
        self.0.apply(&format!("{name}.norm"), ops::BatchNorm::default(), &inputs)
    }

    fn activated(
        &mut self,
        name: &str,
        x: Value,
        out: usize,
        kernel: usize,
        groups: usize,
    ) -> Result<Value, GraphError> {
        let y = self.conv(name, x, out, kernel, groups)?;
        self.0.apply(&format!("{name}.act"), self.1, &[y])
    }
}

/// A block with a shortcut, and a depthwise convolution that two read, so that it joins the expansion alone.
fn network(settings: Settings) -> Result<Graph, GraphError> {
    let Settings { batch, sides: [height, width], activation } = settings;
    let mut b = Builder(GraphBuilder::new(), activation);
    let image = b.0.input("image", DType::U8, [batch, height, width, 3]);
    let labels = b.0.input("labels", DType::I32, [batch]);
    let mut x = b.0.apply("normalize", ops::Normalize { mean: [0.5; 3], std: [0.25; 3] }, &[image])?;
    x = b.activated("stem", x, 8, 3, 1)?;
    let mut y = b.activated("expand", x, 40, 1, 1)?;
    y = b.activated("depthwise", y, 40, 3, 40)?;
    y = b.conv("project", y, 8, 1, 1)?;
    x = b.0.apply("add", ops::Add, &[x, y])?;
    y = b.activated("expand2", x, 20, 1, 1)?;
    y = b.activated("depthwise2", y, 20, 5, 20)?;
    let gate = b.0.apply("squeeze", ops::GlobalAvgPool, &[y])?;
    y = b.0.apply("gate", ops::Gate, &[y, gate])?;
    y = b.0.apply("avgpool", ops::GlobalAvgPool, &[y])?;
    let weight = b.0.parameter("fc.weight", [20, CLASSES], ParameterSpec::LINEAR_WEIGHT);
    let bias = b.0.parameter("fc.bias", [CLASSES], ParameterSpec::bias(20));
    let logits = b.0.apply("fc", ops::Linear, &[y, weight, bias])?;
    b.0.output("logits", logits);
    let loss = b.0.apply("loss", ops::CrossEntropy { label_smoothing: 0.0 }, &[logits, labels])?;
    b.0.output("loss", loss);
    b.0.finish()
}

/// A program that ran once, and its state.
fn run_of(settings: Settings, options: &CompileOptions, threads: usize) -> (Program, State) {
    let graph = network(settings).unwrap();
    let cpu = Cpu::new(threads, Level::best());
    let mut state = State::new(&graph);
    state.initialise(Seed(7));
    let program = Program::compile(&graph, options, &cpu, &mut state).unwrap();
    let image = state.input_u8_mut(&program, "image");
    image.iter_mut().enumerate().for_each(|(i, byte)| *byte = Settings::byte(i));
    let labels = state.input_i32_mut(&program, "labels");
    labels.iter_mut().enumerate().for_each(|(i, label)| *label = Settings::label(i));
    program.run(&cpu, &mut state);
    (program, state)
}

fn kernels(program: &Program) -> Vec<&'static str> {
    program.plan().rows.iter().map(|row| row.kernel).collect()
}

/// The kernels that run, and the logits.
fn run(options: &CompileOptions) -> (Vec<&'static str>, Vec<f32>) {
    let (program, state) = run_of(SMALL, options, 2);
    (kernels(&program), state.output(&program, "logits").to_vec())
}

fn blocks(kernels: &[&str]) -> usize {
    kernels.iter().filter(|kernel| kernel.starts_with("depthwise_block")).count()
}

fn assert_near(have: &[f32], want: &[f32]) {
    for (have, want) in have.iter().zip(want) {
        assert!((have - want).abs() <= 1e-5 * want.abs().max(1.0), "{have} instead of {want}");
    }
}

#[test]
fn a_block_is_one_step_where_norms_are_folded_and_its_weights_stay() {
    let (kernels, logits) = run(&CompileOptions::infer());
    assert_eq!(blocks(&kernels), 2, "{kernels:?}");
    assert!(!kernels.iter().any(|kernel| kernel.starts_with("depthwise_f32")), "{kernels:?}");
    let (kernels, apart) = run(&CompileOptions { without: vec![Pass::FuseDepthwise], ..CompileOptions::infer() });
    assert_eq!(blocks(&kernels), 0, "{kernels:?}");
    assert_near(&logits, &apart);
}

#[test]
fn a_frozen_prefix_has_blocks_and_what_is_trained_has_none() {
    let head = Trainable::Named(BTreeSet::from(["fc.weight".to_owned(), "fc.bias".to_owned()]));
    let frozen = CompileOptions { frozen_norm: FrozenNorm::Running, ..CompileOptions::train("loss", head) };
    let (kernels, logits) = run(&frozen);
    assert_eq!(blocks(&kernels), 2, "{kernels:?}");
    assert_near(&logits, &run(&CompileOptions::infer()).1);
    let (kernels, _) = run(&CompileOptions::train("loss", Trainable::All));
    assert_eq!(blocks(&kernels), 0, "{kernels:?}");
}

/// Maps large enough that the gradients of 1×1 convolutions go in one step, too.
const LARGE: Settings = Settings { batch: 3, sides: [33, 32], activation: ops::Unary::Silu };

fn starting(prefixes: &[&str]) -> Trainable {
    let graph = network(LARGE).unwrap();
    let is_trained = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    Trainable::where_name(graph.parameters().map(|(name, ..)| name), is_trained)
}

fn assert_close(what: &str, have: &[f32], want: &[f64]) {
    let distance: f64 = have.iter().zip(want).map(|(&have, want)| (f64::from(have) - want).powi(2)).sum();
    let size: f64 = want.iter().map(|want| want * want).sum();
    // A bias before a norm has no gradient but what rounding leaves.
    assert!(distance.sqrt() <= 1e-5 * size.sqrt().max(1e-3), "{what}: off by {:.1e}", (distance / size).sqrt());
}

#[test]
fn a_training_step_in_which_convolutions_do_the_work_of_norms_agrees_with_the_definition() {
    let graph = network(LARGE).unwrap();
    for (trainable, what) in [
        (Trainable::All, "all"),
        (starting(&["depthwise2", "fc"]), "the last convolution"),
        (starting(&["project", "expand2.norm", "fc"]), "some"),
        (starting(&["fc"]), "the head"),
    ] {
        for without in [vec![], vec![Pass::FuseNormed], vec![Pass::FuseNorm], vec![Pass::InPlace]] {
            let what = format!("{what}, without {without:?}");
            let options = CompileOptions { without, ..CompileOptions::train("loss", trainable.clone()) };
            let (program, state) = run_of(LARGE, &options, 2);
            let mut start = State::new(&graph);
            start.initialise(Seed(7));
            let wanted = evaluate(&graph, &options, &|name| match name {
                "image" => (0..LARGE.batch * 33 * 32 * 3).map(|i| f64::from(Settings::byte(i))).collect(),
                "labels" => (0..LARGE.batch).map(|i| f64::from(Settings::label(i))).collect(),
                _ => start.get(name).unwrap().iter().map(|&value| f64::from(value)).collect(),
            });
            let wanted = wanted.unwrap();
            for (name, wanted) in &wanted.outputs {
                assert_close(&format!("{what}: {name}"), state.output(&program, name), wanted);
            }
            for (name, wanted) in &wanted.gradients {
                assert_close(&format!("{what}: gradient of {name}"), state.gradient(name).unwrap(), wanted);
            }
            for (name, wanted) in &wanted.updated {
                assert_close(&format!("{what}: {name}"), state.get(name).unwrap(), wanted);
            }
        }
    }
}

#[test]
fn what_norms_make_of_maps_is_not_written_and_threads_change_no_bit() {
    let settings = Settings { activation: ops::Unary::Relu6, ..LARGE };
    let options = CompileOptions::train("loss", Trainable::All);
    let (program, state) = run_of(settings, &options, 1);
    let names = kernels(&program);
    let count = |part: &str| names.iter().filter(|name| name.starts_with(part)).count();
    assert_eq!(count("pointwise_norm"), 6, "three there and three back: {names:?}");
    assert_eq!(count("depthwise_norm"), 4, "{names:?}");
    // The gate reads what the last norm makes of its map, and the shortcut what the projection's does; the stem is a 3×3
    // convolution, and what its norm gives the shortcut reads, too.
    assert_eq!((count("batch_norm_apply"), count("batch_norm_train")), (2, 1), "{names:?}");
    let bits = |state: &State| {
        let graph = network(settings).unwrap();
        let names: Vec<String> = graph.parameters().map(|(name, ..)| name.to_owned()).collect();
        names.iter().filter_map(|name| state.gradient(name).map(<[f32]>::to_vec)).collect::<Vec<_>>()
    };
    for threads in [2, 3] {
        assert_eq!(bits(&run_of(settings, &options, threads).1), bits(&state));
    }
    let apart = CompileOptions { without: vec![Pass::FuseNormed], ..options };
    let (program_apart, state_apart) = run_of(settings, &apart, 2);
    assert!(program_apart.arena_bytes() > program.arena_bytes(), "and that saves memory");
    for (have, want) in bits(&state).iter().zip(bits(&state_apart)) {
        let want: Vec<f64> = want.into_iter().map(f64::from).collect();
        assert_close("bends are met on the same side", have, &want);
    }
}
