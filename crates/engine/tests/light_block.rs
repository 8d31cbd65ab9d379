//! The blocks of light networks: expansion, depthwise convolution and projection as one step.

use std::collections::BTreeSet;

use avizor_base::Seed;
use avizor_engine::{
    CompileOptions, DType, FrozenNorm, Graph, GraphBuilder, GraphError, ParameterSpec, Pass, Program, State, Trainable,
    Value, ops,
};
use avizor_kernels::{Cpu, Level};

const CLASSES: usize = 3;

struct Builder(GraphBuilder);

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
        self.0.apply(&format!("{name}.act"), ops::Unary::Relu6, &[y])
    }
}

/// A block with a shortcut, and a depthwise convolution that two read, so that it joins the expansion alone.
fn network() -> Result<Graph, GraphError> {
    let mut b = Builder(GraphBuilder::new());
    let image = b.0.input("image", DType::U8, [2, 9, 8, 3]);
    let labels = b.0.input("labels", DType::I32, [2]);
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

/// The kernels that run, and the logits.
fn run(options: &CompileOptions) -> (Vec<&'static str>, Vec<f32>) {
    let graph = network().expect("the shapes fit");
    let cpu = Cpu::new(2, Level::best());
    let mut state = State::new(&graph);
    state.initialise(Seed(7));
    let program = Program::compile(&graph, options, &cpu, &mut state).expect("it compiles");
    let image = state.input_u8_mut(&program, "image");
    image.iter_mut().enumerate().for_each(|(i, byte)| *byte = (i * 37 % 251) as u8);
    state.input_i32_mut(&program, "labels").copy_from_slice(&[0, 2]);
    program.run(&cpu, &mut state);
    (program.plan().rows.iter().map(|row| row.kernel).collect(), state.output(&program, "logits").to_vec())
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
