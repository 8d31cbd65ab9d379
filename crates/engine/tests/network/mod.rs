//! A small residual network, as the engine's tests use it.

#![allow(dead_code, reason = "every test file is a crate of its own and uses a part")]

use avizor_base::Seed;
use avizor_engine::{
    CompileOptions, DType, Graph, GraphBuilder, GraphError, ParameterSpec, Program, State, Trainable, Value, ops,
};
use avizor_kernels::Cpu;

/// Classes of the network.
pub(crate) const CLASSES: usize = 5;
/// Bytes of a picture.
pub(crate) const PIXELS: usize = 12 * 12 * 3;

/// What differs between the networks of the tests.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) batch: usize,
    pub(crate) activation: ops::Unary,
    /// Max pooling in the stem, else average pooling.
    pub(crate) max_pool: bool,
    pub(crate) dropout: f32,
}

impl Settings {
    /// With everything in it.
    pub(crate) fn full(batch: usize) -> Self {
        Self { batch, activation: ops::Unary::Relu, max_pool: true, dropout: 0.25 }
    }

    /// Without choices that flip on rounding, and without chance.
    pub(crate) fn smooth(batch: usize) -> Self {
        Self { batch, activation: ops::Unary::Silu, max_pool: false, dropout: 0.0 }
    }
}

struct Builder {
    graph: GraphBuilder,
    activation: ops::Unary,
}

impl Builder {
    fn conv(&mut self, name: &str, x: Value, out: usize, kernel: usize, stride: usize) -> Result<Value, GraphError> {
        let input = self.graph.shape(x)[3];
        let weight =
            self.graph.parameter(&format!("{name}.weight"), [kernel, kernel, input, out], ParameterSpec::CONV_WEIGHT);
        let conv = ops::Conv2d { stride: [stride; 2], padding: [kernel / 2; 2], ..ops::Conv2d::default() };
        self.graph.apply(name, conv, &[x, weight])
    }

    fn norm(&mut self, name: &str, x: Value) -> Result<Value, GraphError> {
        let channels = self.graph.shape(x)[3];
        let specs = [
            ("weight", ParameterSpec::NORM_WEIGHT),
            ("bias", ParameterSpec::NORM_BIAS),
            ("running_mean", ParameterSpec::RUNNING_MEAN),
            ("running_var", ParameterSpec::RUNNING_VAR),
        ];
        let mut inputs = vec![x];
        inputs.extend(specs.map(|(part, spec)| self.graph.parameter(&format!("{name}.{part}"), [channels], spec)));
        self.graph.apply(name, ops::BatchNorm::default(), &inputs)
    }

    fn block(&mut self, name: &str, x: Value, out: usize, stride: usize) -> Result<Value, GraphError> {
        let mut y = self.conv(&format!("{name}.conv1"), x, out, 3, stride)?;
        y = self.norm(&format!("{name}.bn1"), y)?;
        y = self.graph.apply(&format!("{name}.act1"), self.activation, &[y])?;
        y = self.conv(&format!("{name}.conv2"), y, out, 3, 1)?;
        y = self.norm(&format!("{name}.bn2"), y)?;
        let mut shortcut = x;
        if stride != 1 || self.graph.shape(x)[3] != out {
            shortcut = self.conv(&format!("{name}.downsample.0"), x, out, 1, stride)?;
            shortcut = self.norm(&format!("{name}.downsample.1"), shortcut)?;
        }
        let sum = self.graph.apply(&format!("{name}.add"), ops::Add, &[y, shortcut])?;
        self.graph.apply(&format!("{name}.act2"), self.activation, &[sum])
    }
}

/// Pictures of 12 × 12: a stem, two residual blocks, a linear layer.
pub(crate) fn network(settings: Settings) -> Graph {
    build(settings).expect("the shapes fit")
}

fn build(settings: Settings) -> Result<Graph, GraphError> {
    let Settings { batch, activation, max_pool, dropout } = settings;
    let mut b = Builder { graph: GraphBuilder::new(), activation };
    let image = b.graph.input("image", DType::U8, [batch, 12, 12, 3]);
    let labels = b.graph.input("labels", DType::I32, [batch]);
    let class_weights = b.graph.input("class_weights", DType::F32, [CLASSES]);
    let mut x = b.graph.apply("normalize", ops::Normalize { mean: [0.5; 3], std: [0.25; 3] }, &[image])?;
    x = b.conv("conv1", x, 8, 3, 1)?;
    x = b.norm("bn1", x)?;
    x = b.graph.apply("act", activation, &[x])?;
    let (kernel, stride, padding, trailing) = ([3, 3], [2, 2], [1, 1], [0, 0]);
    x = if max_pool {
        b.graph.apply("pool", ops::MaxPool2d { kernel, stride, padding, trailing }, &[x])?
    } else {
        b.graph.apply("pool", ops::AvgPool2d { kernel, stride, padding, trailing }, &[x])?
    };
    x = b.block("layer1", x, 8, 1)?;
    x = b.block("layer2", x, 12, 2)?;
    x = b.graph.apply("avgpool", ops::GlobalAvgPool, &[x])?;
    b.graph.output("features", x);
    x = b.graph.apply("dropout", ops::Dropout { p: dropout }, &[x])?;
    let weight = b.graph.parameter("fc.weight", [12, CLASSES], ParameterSpec::LINEAR_WEIGHT);
    let bias = b.graph.parameter("fc.bias", [CLASSES], ParameterSpec::bias(12));
    let logits = b.graph.apply("fc", ops::Linear, &[x, weight, bias])?;
    b.graph.output("logits", logits);
    let cross_entropy = ops::CrossEntropy { label_smoothing: 0.05 };
    let loss = b.graph.apply("loss", cross_entropy, &[logits, labels, class_weights])?;
    b.graph.output("loss", loss);
    b.graph.finish()
}

/// A network ready to train.
pub(crate) struct Trainer {
    pub(crate) cpu: Cpu,
    pub(crate) state: State,
    pub(crate) program: Program,
    pub(crate) batch: usize,
}

impl Trainer {
    pub(crate) fn new(settings: Settings, cpu: Cpu) -> Self {
        Self::with_options(settings, cpu, &CompileOptions::train("loss", Trainable::All))
    }

    pub(crate) fn with_options(settings: Settings, cpu: Cpu, options: &CompileOptions) -> Self {
        let graph = network(settings);
        let mut state = State::new(&graph);
        state.initialise(Seed(42));
        let program = Program::compile(&graph, options, &cpu, &mut state).expect("it compiles");
        Self { cpu, state, program, batch: settings.batch }
    }

    /// Runs the program on the pictures of a step.
    pub(crate) fn run(&mut self, step: u64) -> f32 {
        self.state.set_step(Seed(42), step);
        write_inputs(&mut self.state, &self.program, step, self.batch);
        self.program.run(&self.cpu, &mut self.state);
        self.state.output(&self.program, "loss")[0]
    }
}

/// Pixels and labels by formula; the golden maker has the same.
pub(crate) fn write_inputs(state: &mut State, program: &Program, step: u64, pictures: usize) {
    let image = state.input_u8_mut(program, "image");
    image.fill(0);
    image.iter_mut().take(pictures * PIXELS).enumerate().for_each(|(i, pixel)| *pixel = pixel_value(i as u64, step));
    for (i, label) in state.input_i32_mut(program, "labels").iter_mut().enumerate() {
        *label = if i < pictures { ((i * i + 3 * i + step as usize) % CLASSES) as i32 } else { -1 };
    }
    let weights = state.input_f32_mut(program, "class_weights");
    weights.iter_mut().enumerate().for_each(|(class, weight)| *weight = 0.5 + 0.25 * class as f32);
}

/// Pixels by formula.
pub(crate) fn pixel_value(i: u64, step: u64) -> u8 {
    let mixed = (i + 10_007 * step + 1).wrapping_mul(2_654_435_761) % (1 << 32);
    (mixed >> 24) as u8
}

/// Bits of everything that a step leaves.
pub(crate) fn bits(state: &State) -> Vec<(String, Vec<u32>)> {
    let mut all = Vec::new();
    for array in state.export() {
        all.push((array.name, array.values.iter().map(|value| value.to_bits()).collect()));
    }
    for parameter in state.parameters() {
        if let Some(gradient) = state.gradient(&parameter.name) {
            all.push((format!("{}'", parameter.name), gradient.iter().map(|value| value.to_bits()).collect()));
        }
    }
    all
}

/// An optimizer over everything that is trained.
pub(crate) fn optimizer(
    kind: avizor_engine::OptimizerKind,
    state: &mut State,
    weight_decay: f64,
) -> avizor_engine::Optimizer {
    let trained = state.parameters().iter().filter(|parameter| !parameter.is_statistic());
    let parameters = trained.map(|parameter| parameter.name.clone()).collect();
    let group = avizor_engine::Group { parameters, lr_scale: 1.0, weight_decay };
    avizor_engine::Optimizer::new(kind, state, &[group]).expect("all are trained")
}
