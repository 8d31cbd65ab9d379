//! A network as programs, ready to run on noise.

use std::time::Instant;

use avizor_base::{ImageSize, Preprocess, Purpose, Seed};
use avizor_engine::{
    CompileOptions, DType, Graph, GraphBuilder, Group, Optimizer, OptimizerKind, PlanTable, PlanTimes, Program, State,
    Trainable, ops,
};
use avizor_kernels::conv2d::Conv2dMethods;
use avizor_kernels::{Cpu, Precision, peak_flops};
use avizor_models::{Network, NetworkOptions, find, image_input};
use avizor_predict::Scorer;
use avizor_train::Recipe;
use serde_json::Value;

use super::clock::Times;
use crate::args;
use crate::failure::Failure;
use crate::session::{Session, read_recipe};

/// Runs in which every step of a plan is timed; the median counts.
const TIMED_RUNS: usize = 5;

/// A network, the machine that runs it, and the pictures' size.
pub(in crate::commands) struct BenchNetwork {
    cpu: Cpu,
    network: &'static Network,
    options: NetworkOptions,
    preprocess: Preprocess,
}

impl BenchNetwork {
    pub(in crate::commands) fn new(session: &Session, args: &args::BenchNetwork) -> Result<Self, Failure> {
        let classes = args.classes as usize;
        let (network, options, size) = match &args.recipe {
            Some(path) => {
                let Recipe { model, transforms, .. } = read_recipe(path)?;
                (find(&model.name)?, model.network_options(classes), transforms.size.image_size())
            }
            None => {
                let options = NetworkOptions { stem: args.stem.into(), ..NetworkOptions::new(classes) };
                (find(&args.model)?, options, ImageSize::new(args.size, args.size))
            }
        };
        let size = size.ok_or_else(|| Failure::usage("pictures of this size are too large"))?;
        let methods = if args.direct { Conv2dMethods::Direct } else { Conv2dMethods::Auto };
        let cpu = session.cpu().with_conv2d_methods(methods);
        Ok(Self { cpu, network, options, preprocess: Preprocess::new(size) })
    }

    /// The network's name.
    pub(in crate::commands) fn name(&self) -> &'static str {
        self.network.name
    }

    /// Height and width of the pictures.
    pub(in crate::commands) fn size(&self) -> ImageSize {
        self.preprocess.size
    }

    /// Forward, cross-entropy, backward and SGD with momentum.
    pub(in crate::commands) fn training(&self, batch: usize, precision: Precision) -> Result<Training<'_>, Failure> {
        let mut graph = GraphBuilder::new();
        let image = image_input(&mut graph, batch, &self.preprocess)?;
        let outputs = self.network.build(&mut graph, image, &self.options)?;
        let labels = graph.input("labels", DType::I32, [batch]);
        let loss = ops::CrossEntropy { label_smoothing: 0.0 };
        let loss = graph.apply("loss", loss, &[outputs.logits, labels]).map_err(unfit)?;
        graph.output("logits", outputs.logits);
        graph.output("loss", loss);
        let graph = graph.finish().map_err(unfit)?;
        let mut state = State::new(&graph);
        state.initialise(Seed(42));
        let options = CompileOptions { precision, ..CompileOptions::train("loss", Trainable::All) };
        let program = Program::compile(&graph, &options, &self.cpu, &mut state).map_err(unfit)?;
        let parameters = state.parameters().iter().filter(|parameter| !parameter.is_statistic());
        let parameters = parameters.map(|parameter| parameter.name.clone()).collect();
        let kind = OptimizerKind::Sgd { momentum: 0.9, dampening: 0.0, nesterov: false };
        let group = Group { parameters, lr_scale: 1.0, weight_decay: 0.0 };
        let optimizer = Optimizer::new(kind, &mut state, &[group]).map_err(unfit)?;
        self.fill(&program, &mut state);
        Ok(Training { bench: self, batch, program, optimizer, state })
    }

    /// Inference with parameters of its own. No kernel's time depends on their values, as long as these stay away from the
    /// smallest numbers there are: those of fresh networks do.
    pub(in crate::commands) fn inference(&self, batch: usize) -> Result<Inference<'_>, Failure> {
        let graph = Scorer::graph(self.network, &self.options, &self.preprocess, batch).map_err(unfit)?;
        let mut state = State::new(&graph);
        state.initialise(Seed(42));
        self.compile_inference(&graph, state)
    }

    fn compile_inference(&self, graph: &Graph, mut state: State) -> Result<Inference<'_>, Failure> {
        let program = Program::compile(graph, &CompileOptions::infer(), &self.cpu, &mut state).map_err(unfit)?;
        self.fill(&program, &mut state);
        Ok(Inference { bench: self, program, state })
    }

    /// Pictures of noise, labels in turn.
    fn fill(&self, program: &Program, state: &mut State) {
        let mut stream = Seed(1).stream(Purpose::Order, [0, 0, 0]);
        state.input_u8_mut(program, "image").iter_mut().for_each(|value| *value = stream.next_u32() as u8);
        if program.has_input("labels") {
            let classes = self.options.classes as i32;
            let labels = state.input_i32_mut(program, "labels").iter_mut();
            labels.enumerate().for_each(|(row, label)| *label = row as i32 % classes);
        }
    }

    /// The steps of a program, each with the time that it takes among the others. Steps that run only when parameters
    /// have changed stand first; where none did, they are left out.
    fn timed_plan<'p>(&self, program: &'p Program, state: &mut State) -> PlanTable<'p> {
        let mut plan = program.plan();
        let mut runs = Vec::new();
        for _ in 0..TIMED_RUNS {
            let mut seconds = Vec::with_capacity(plan.rows.len());
            let mut since = Instant::now();
            program.run_observed(&self.cpu, state, &mut |_| {
                seconds.push(since.elapsed().as_secs_f64());
                since = Instant::now();
            });
            runs.push(seconds);
        }
        let steps = runs.iter().map(Vec::len).min().unwrap_or(0);
        plan.rows.drain(..plan.rows.len() - steps);
        let median =
            |step: usize| Times::from_seconds(runs.iter().map(|run| run[run.len() - steps + step]).collect()).median();
        plan.times = Some(PlanTimes { seconds: (0..steps).map(median).collect(), peak_flops: peak_flops(&self.cpu) });
        plan
    }
}

/// A training step, ready to run.
pub(in crate::commands) struct Training<'b> {
    bench: &'b BenchNetwork,
    batch: usize,
    program: Program,
    optimizer: Optimizer,
    state: State,
}

impl<'b> Training<'b> {
    pub(in crate::commands) fn run(&mut self) {
        self.program.run(&self.bench.cpu, &mut self.state);
        self.optimizer.step(&self.bench.cpu, &mut self.state, 1e-3);
    }

    pub(in crate::commands) fn timed_plan(&mut self) -> PlanTable<'_> {
        self.bench.timed_plan(&self.program, &mut self.state)
    }

    /// The same network's inference, with the parameters as they are now.
    pub(in crate::commands) fn into_inference(self) -> Result<Inference<'b>, Failure> {
        let Self { bench, batch, state, .. } = self;
        let graph = Scorer::graph(bench.network, &bench.options, &bench.preprocess, batch).map_err(unfit)?;
        bench.compile_inference(&graph, state)
    }
}

/// Inference, ready to run.
pub(in crate::commands) struct Inference<'b> {
    bench: &'b BenchNetwork,
    program: Program,
    state: State,
}

impl Inference<'_> {
    pub(in crate::commands) fn run(&mut self) {
        self.program.run(&self.bench.cpu, &mut self.state);
    }

    pub(in crate::commands) fn timed_plan(&mut self) -> PlanTable<'_> {
        self.bench.timed_plan(&self.program, &mut self.state)
    }
}

/// A size in words: the side of a square, or height × width.
pub(super) fn shown(size: ImageSize) -> String {
    match (size.height(), size.width()) {
        (height, width) if height == width => height.to_string(),
        (height, width) => format!("{height} × {width}"),
    }
}

/// A size as recipes write it: the side of a square, or height and width.
pub(super) fn sides(size: ImageSize) -> Value {
    match (size.height(), size.width()) {
        (height, width) if height == width => height.into(),
        (height, width) => [height, width].as_slice().into(),
    }
}

/// A network that does not fit the size or batch it was asked for.
fn unfit(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error.to_string())
}
