//! `avizor bench`.

use std::io::Write;
use std::time::{Duration, Instant};

use avizor_base::{ImageSize, Preprocess, Seed};
use avizor_engine::{
    CompileOptions, DType, GraphBuilder, Group, Optimizer, OptimizerKind, PlanTable, PlanTimes, Program, State,
    Trainable, ops,
};
use avizor_kernels::conv2d::Conv2dMethods;
use avizor_kernels::{Cpu, peak_flops};
use avizor_models::{Network, NetworkOptions, find, image_input};
use avizor_predict::Scorer;
use serde_json::json;

use crate::args::{self, BenchWhat};
use crate::failure::Failure;
use crate::session::Session;

/// Runs before the clock counts: caches and pages are then as they stay.
const WARM_UP: usize = 2;

/// Runs in which every step of a plan is timed; the median counts.
const TIMED_RUNS: usize = 5;

pub(crate) fn run(session: &Session, args: &args::Bench) -> Result<(), Failure> {
    match &args.what {
        BenchWhat::Step(args) => step(session, args),
    }
}

fn step(session: &Session, args: &args::BenchStep) -> Result<(), Failure> {
    let bench = StepBench::new(session, args)?;
    let (train, infer) = bench.measure(Duration::from_secs_f64(args.seconds.clamp(0.0, 3600.0)))?;
    let batch = f64::from(args.batch);
    let mut out = anstream::stdout();
    if args.json {
        let answer = json!({
            "format": 1,
            "what": "step",
            "model": args.model,
            "size": args.size,
            "batch": args.batch,
            "level": session.level.name(),
            "threads": session.threads,
            "version": env!("CARGO_PKG_VERSION"),
            "train_images_per_second": batch / train.median,
            "infer_images_per_second": batch / infer.median,
            "train_step_seconds": train.json(),
            "infer_step_seconds": infer.json(),
            "peak_memory_bytes": peak_memory(),
        });
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    writeln!(
        out,
        "{} at {} px, batch {}, {} threads, {}",
        args.model, args.size, args.batch, session.threads, session.level
    )?;
    for (name, times) in [("training step", &train), ("inference", &infer)] {
        writeln!(
            out,
            "  {name:<14} {:>8.1} pictures/s   {:>7.1} ms (range {:.1}–{:.1}, n = {})",
            batch / times.median,
            times.median * 1e3,
            times.least * 1e3,
            times.most * 1e3,
            times.n
        )?;
    }
    if let Some(bytes) = peak_memory() {
        writeln!(out, "  peak memory    {:>8.0} MiB", bytes as f64 / f64::from(1 << 20))?;
    }
    Ok(())
}

/// One network, ready to step.
struct StepBench<'b> {
    cpu: Cpu,
    network: &'static Network,
    options: NetworkOptions,
    preprocess: Preprocess,
    args: &'b args::BenchStep,
}

impl<'b> StepBench<'b> {
    fn new(session: &Session, args: &'b args::BenchStep) -> Result<Self, Failure> {
        let network = find(&args.model)?;
        let options = NetworkOptions { stem: args.stem.into(), ..NetworkOptions::new(args.classes as usize) };
        let size = ImageSize::new(args.size, args.size).ok_or_else(|| Failure::usage("--size is too large"))?;
        let methods = if args.direct { Conv2dMethods::Direct } else { Conv2dMethods::Auto };
        let cpu = session.cpu().with_conv2d_methods(methods);
        Ok(Self { cpu, network, options, preprocess: Preprocess::new(size), args })
    }

    /// Times of training steps and of inference.
    fn measure(&self, time: Duration) -> Result<(Times, Times), Failure> {
        let batch = usize::from(self.args.batch);
        let mut graph = GraphBuilder::new();
        let image = image_input(&mut graph, batch, &self.preprocess)?;
        let outputs = self.network.build(&mut graph, image, &self.options)?;
        let labels = graph.input("labels", DType::I32, [batch]);
        let loss = ops::CrossEntropy { label_smoothing: 0.0 };
        let failed = |error: &dyn std::fmt::Display| Failure::usage(error.to_string());
        let loss = graph.apply("loss", loss, &[outputs.logits, labels]).map_err(|error| failed(&error))?;
        graph.output("logits", outputs.logits);
        graph.output("loss", loss);
        let graph = graph.finish().map_err(|error| failed(&error))?;
        let mut state = State::new(&graph);
        state.initialise(Seed(42));

        let options = CompileOptions::train("loss", Trainable::All);
        let train = Program::compile(&graph, &options, &self.cpu, &mut state).map_err(|error| failed(&error))?;
        let parameters = state.parameters().iter().filter(|parameter| !parameter.is_statistic());
        let parameters = parameters.map(|parameter| parameter.name.clone()).collect();
        let kind = OptimizerKind::Sgd { momentum: 0.9, dampening: 0.0, nesterov: false };
        let group = Group { parameters, lr_scale: 1.0, weight_decay: 0.0 };
        let optimizer = Optimizer::new(kind, &mut state, &[group]).map_err(|error| failed(&error))?;
        self.fill(&train, &mut state);
        let training = Times::of(time, || {
            train.run(&self.cpu, &mut state);
            optimizer.step(&self.cpu, &mut state, 1e-3);
        });
        if self.args.plan {
            writeln!(anstream::stderr(), "{}", self.timed_plan(&train, &mut state))?;
        }

        // The last state of the parameters is as good as any: no kernel's time depends on values.
        let graph = Scorer::graph(self.network, &self.options, &self.preprocess, batch)?;
        let infer = Program::compile(&graph, &CompileOptions::infer(), &self.cpu, &mut state);
        let infer = infer.map_err(|error| failed(&error))?;
        self.fill(&infer, &mut state);
        let inference = Times::of(time, || infer.run(&self.cpu, &mut state));
        if self.args.plan {
            writeln!(anstream::stderr(), "{}", self.timed_plan(&infer, &mut state))?;
        }
        Ok((training, inference))
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
        let median = |step: usize| {
            let mut times: Vec<f64> = runs.iter().map(|run| run[run.len() - steps + step]).collect();
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        plan.times = Some(PlanTimes { seconds: (0..steps).map(median).collect(), peak_flops: peak_flops(&self.cpu) });
        plan
    }

    /// Pictures of noise, labels in turn.
    fn fill(&self, program: &Program, state: &mut State) {
        let mut stream = Seed(1).stream(avizor_base::Purpose::Order, [0, 0, 0]);
        state.input_u8_mut(program, "image").iter_mut().for_each(|value| *value = stream.next_u32() as u8);
        if program.has_input("labels") {
            let classes = self.args.classes as i32;
            let labels = state.input_i32_mut(program, "labels").iter_mut();
            labels.enumerate().for_each(|(row, label)| *label = row as i32 % classes);
        }
    }
}

/// Seconds a run took.
struct Times {
    median: f64,
    least: f64,
    most: f64,
    n: usize,
}

impl Times {
    /// Repeats for that long, at least three times, after a warm-up.
    fn of(time: Duration, mut run: impl FnMut()) -> Self {
        (0..WARM_UP).for_each(|_| run());
        let mut seconds = Vec::new();
        let begun = Instant::now();
        while seconds.len() < 3 || begun.elapsed() < time {
            let started = Instant::now();
            run();
            seconds.push(started.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        Self {
            median: seconds[seconds.len() / 2],
            least: seconds[0],
            most: seconds[seconds.len() - 1],
            n: seconds.len(),
        }
    }

    fn json(&self) -> serde_json::Value {
        json!({ "median": self.median, "least": self.least, "most": self.most, "n": self.n })
    }
}

/// The most memory this process ever had; `None` where the system does not tell.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
