//! `avizor bench ops`: each family of kernels on the layers of known networks.

mod blocks;
mod convolutions;
mod layers;
mod normed;
mod passes;
mod updates;

use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use avizor_kernels::elementwise::copy;
use avizor_kernels::{Cpu, peak_flops};
use serde_json::{Value, json};

use super::clock::{Times, duration};
use crate::args;
use crate::failure::Failure;
use crate::session::Session;

/// Numbers copied to see how fast memory is: 64 MiB, more than caches hold.
const COPIED: usize = 16 << 20;

pub(crate) fn run(session: &Session, args: &args::BenchOps) -> Result<(), Failure> {
    let cpu = Rc::new(session.cpu());
    let machine = Machine::measure(&cpu);
    let (peak, copy) = (machine.peak_flops * 1e-9, machine.copy_bytes_per_second * 1e-9);
    let header = format!(
        "{}, {} threads, batch {}; multiply-add peak {peak:.0} GFLOP/s, copy {copy:.1} GB/s\n{}",
        session.level,
        session.threads,
        args.batch,
        Row::header()
    );
    let (filter, time) = (args.filter.clone(), duration(args.seconds));
    let mut bench = Bench { cpu, machine, filter, time, header, json: args.json, rows: Vec::new() };
    let batch = usize::from(args.batch);
    convolutions::measure(&mut bench, batch)?;
    blocks::measure(&mut bench, batch)?;
    normed::measure(&mut bench, batch)?;
    passes::measure(&mut bench, batch)?;
    updates::measure(&mut bench, batch)?;
    if bench.rows.is_empty() {
        let help =
            "a row is called as in `conv2d resnet18@160 3x3/1 64->64 @40 forward`; see all by `avizor bench ops`";
        return Err(Failure::usage(format!("no row contains --filter \"{}\"", args.filter)).help(help));
    }
    if args.json {
        let answer = json!({
            "format": 1,
            "what": "ops",
            "batch": args.batch,
            "level": session.level.name(),
            "threads": session.threads,
            "version": env!("CARGO_PKG_VERSION"),
            "peak_flops_per_second": bench.machine.peak_flops,
            "copy_bytes_per_second": bench.machine.copy_bytes_per_second,
            "rows": bench.rows.iter().map(|row| row.json(&bench.machine)).collect::<Vec<_>>(),
        });
        writeln!(anstream::stdout(), "{answer}")?;
    }
    Ok(())
}

/// What rows are compared with.
struct Machine {
    peak_flops: f64,
    /// Read and written together.
    copy_bytes_per_second: f64,
}

impl Machine {
    fn measure(cpu: &Cpu) -> Self {
        let (from, mut to) = (vec![1.0; COPIED], vec![0.0; COPIED]);
        let times = Times::of(Duration::from_millis(100), || copy(cpu, &from, &mut to));
        Self { peak_flops: peak_flops(cpu), copy_bytes_per_second: 8.0 * COPIED as f64 / times.median() }
    }
}

/// What is measured: printed as `family layer pass`.
#[derive(Clone, Debug)]
struct Name {
    family: &'static str,
    layer: String,
    pass: String,
}

impl Name {
    fn new(family: &'static str, layer: &str, pass: impl Into<String>) -> Self {
        Self { family, layer: layer.to_owned(), pass: pass.into() }
    }
}

/// What a run stands for.
#[derive(Clone, Copy, Debug)]
struct Work {
    /// By the definition of the operation; 0 for passes over memory.
    multiply_adds: usize,
    /// Tensors read and written, each once (a pass that reads twice counts twice).
    bytes: usize,
}

impl Work {
    /// A pass over memory.
    fn bytes(bytes: usize) -> Self {
        Self { multiply_adds: 0, bytes }
    }
}

/// A measured row.
struct Row {
    name: Name,
    /// Where a table of kernels was asked.
    kernel: Option<&'static str>,
    work: Work,
    times: Times,
    /// The same by direct convolution, where that was not what was chosen.
    direct: Option<Times>,
}

impl Row {
    fn header() -> String {
        format!(
            "{:<15} {:<42} {:<15} {:>9} {:>17} {:>5} {:>8} {:>7} {:>6} {:>8}  kernel",
            "family", "layer", "pass", "ms", "range", "n", "GFLOP/s", "of peak", "GB/s", "× direct"
        )
    }

    fn flops_per_second(&self) -> Option<f64> {
        (self.work.multiply_adds > 0).then(|| 2.0 * self.work.multiply_adds as f64 / self.times.median())
    }

    fn bytes_per_second(&self) -> f64 {
        self.work.bytes as f64 / self.times.median()
    }

    fn text(&self, machine: &Machine) -> String {
        let Self { name: Name { family, layer, pass }, times, .. } = self;
        let some = |number: Option<String>| number.unwrap_or_default();
        let rate = self.flops_per_second();
        let ms = |seconds: f64| seconds * 1e3;
        let range = format!("{:.3}–{:.3}", ms(times.least()), ms(times.most()));
        format!(
            "{family:<15} {layer:<42} {pass:<15} {:>9.3} {range:>17} {:>5} {:>8} {:>7} {:>6.1} {:>8}  {}",
            ms(times.median()),
            times.n(),
            some(rate.map(|rate| format!("{:.0}", rate * 1e-9))),
            some(rate.map(|rate| format!("{:.0} %", 100.0 * rate / machine.peak_flops))),
            self.bytes_per_second() * 1e-9,
            some(self.direct.as_ref().map(|direct| format!("{:.2}", direct.median() / times.median()))),
            self.kernel.unwrap_or_default()
        )
    }

    fn json(&self, machine: &Machine) -> Value {
        let rate = self.flops_per_second();
        json!({
            "family": self.name.family,
            "layer": self.name.layer,
            "pass": self.name.pass,
            "kernel": self.kernel,
            "seconds": self.times.json(),
            "flops_per_second": rate,
            "share_of_peak": rate.map(|rate| rate / machine.peak_flops),
            "bytes_per_second": self.bytes_per_second(),
            "direct_seconds": self.direct.as_ref().map(Times::json),
        })
    }
}

/// The rows so far, and how others are measured.
struct Bench {
    cpu: Rc<Cpu>,
    machine: Machine,
    filter: String,
    time: Duration,
    /// Printed above the first row.
    header: String,
    json: bool,
    rows: Vec<Row>,
}

impl Bench {
    fn wants(&self, name: &Name) -> bool {
        format!("{} {} {}", name.family, name.layer, name.pass).contains(&self.filter)
    }

    /// Whether one of some passes is wanted: whoever has to make tensors for them asks first.
    fn wants_any(&self, family: &'static str, layer: &str, passes: &[&str]) -> bool {
        passes.iter().any(|&pass| self.wants(&Name::new(family, layer, pass)))
    }

    fn times(&self, run: impl FnMut()) -> Times {
        Times::of(self.time, run)
    }

    /// Measures a pass that is no convolution, if it is wanted.
    fn measure(&mut self, name: Name, work: Work, run: impl FnMut()) -> Result<(), Failure> {
        if !self.wants(&name) {
            return Ok(());
        }
        let times = self.times(run);
        self.push(Row { name, kernel: None, work, times, direct: None })
    }

    fn push(&mut self, row: Row) -> Result<(), Failure> {
        if !self.json {
            let mut out = anstream::stdout();
            if self.rows.is_empty() {
                writeln!(out, "{}", self.header)?;
            }
            writeln!(out, "{}", row.text(&self.machine))?;
        }
        self.rows.push(row);
        Ok(())
    }
}
