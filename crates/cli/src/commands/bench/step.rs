//! `avizor bench step`.

use std::io::Write;

use avizor_kernels::Precision;
use serde_json::json;

use super::clock::{Times, duration, peak_memory};
use super::network::{BenchNetwork, shown, sides};
use crate::args;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::BenchStep) -> Result<(), Failure> {
    let bench = BenchNetwork::new(session, &args.network)?;
    let (train, infer) = measure(&bench, args)?;
    let batch = f64::from(args.batch);
    let rate = |times: &Times| batch / times.median();
    let mut out = anstream::stdout();
    if args.json {
        let answer = json!({
            "format": 1,
            "what": "step",
            "model": bench.name(),
            "size": sides(bench.size()),
            "batch": args.batch,
            "precision": precision(args).name(),
            "level": session.level.name(),
            "threads": session.threads,
            "version": env!("CARGO_PKG_VERSION"),
            "train_images_per_second": rate(&train),
            "infer_images_per_second": infer.as_ref().map(rate),
            "train_step_seconds": train.json(),
            "infer_step_seconds": infer.as_ref().map(Times::json),
            "peak_memory_bytes": peak_memory(),
        });
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    writeln!(
        out,
        "{} at {} px, batch {}, {} threads, {}",
        bench.name(),
        shown(bench.size()),
        args.batch,
        session.threads,
        session.level
    )?;
    for (name, times) in [("training step", Some(&train)), ("inference", infer.as_ref())] {
        let Some(times) = times else { continue };
        writeln!(
            out,
            "  {name:<14} {:>8.1} pictures/s   {:>7.1} ms (range {:.1}–{:.1}, n = {})",
            rate(times),
            times.median() * 1e3,
            times.least() * 1e3,
            times.most() * 1e3,
            times.n()
        )?;
    }
    if let Some(bytes) = peak_memory() {
        writeln!(out, "  peak memory    {:>8.0} MiB", bytes as f64 / f64::from(1 << 20))?;
    }
    Ok(())
}

fn precision(args: &args::BenchStep) -> Precision {
    match args.precision {
        args::Precision::F32 => Precision::F32,
        args::Precision::Bf16 => Precision::Bf16,
    }
}

/// Times of training steps and, unless only those are wanted, of inference.
fn measure(bench: &BenchNetwork, args: &args::BenchStep) -> Result<(Times, Option<Times>), Failure> {
    let time = duration(args.seconds);
    let mut training = bench.training(usize::from(args.batch), precision(args))?;
    let train = Times::of(time, || training.run());
    if args.plan {
        writeln!(anstream::stderr(), "{}", training.timed_plan())?;
    }
    if args.train_only {
        return Ok((train, None));
    }
    let mut inference = training.into_inference()?;
    let infer = Times::of(time, || inference.run());
    if args.plan {
        writeln!(anstream::stderr(), "{}", inference.timed_plan())?;
    }
    Ok((train, Some(infer)))
}
