//! `avizor bench infer`.

use std::io::Write;

use serde_json::json;

use super::clock::{Times, duration, peak_memory};
use super::network::{BenchNetwork, shown, sides};
use crate::args;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::BenchInfer) -> Result<(), Failure> {
    let bench = BenchNetwork::new(session, &args.network)?;
    let measured = measure(&bench, args)?;
    let mut out = anstream::stdout();
    if args.json {
        let batch = |(batch, times): &(u16, Times)| {
            json!({
                "batch": batch,
                "images_per_second": f64::from(*batch) / times.median(),
                "latency_seconds": {
                    "median": times.median(),
                    "p95": times.quantile(0.95),
                    "least": times.least(),
                    "most": times.most(),
                    "n": times.n(),
                },
            })
        };
        let answer = json!({
            "format": 1,
            "what": "infer",
            "model": bench.name(),
            "size": sides(bench.size()),
            "level": session.level.name(),
            "threads": session.threads,
            "version": env!("CARGO_PKG_VERSION"),
            "batches": measured.iter().map(batch).collect::<Vec<_>>(),
            "peak_memory_bytes": peak_memory(),
        });
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    writeln!(out, "{} at {} px, {} threads, {}", bench.name(), shown(bench.size()), session.threads, session.level)?;
    for (batch, times) in &measured {
        writeln!(
            out,
            "  batch {batch:<5} {:>8.1} pictures/s   median {:>7.2} ms, 95 % within {:.2} ms (range {:.2}–{:.2}, n = {})",
            f64::from(*batch) / times.median(),
            times.median() * 1e3,
            times.quantile(0.95) * 1e3,
            times.least() * 1e3,
            times.most() * 1e3,
            times.n()
        )?;
    }
    if let Some(bytes) = peak_memory() {
        writeln!(out, "  peak memory {:>8.0} MiB", bytes as f64 / f64::from(1 << 20))?;
    }
    Ok(())
}

/// Times of every batch, in the order in which they were asked for.
fn measure(bench: &BenchNetwork, args: &args::BenchInfer) -> Result<Vec<(u16, Times)>, Failure> {
    let one = |&batch: &u16| {
        let mut inference = bench.inference(usize::from(batch))?;
        let times = Times::of(duration(args.seconds), || inference.run());
        if args.plan {
            writeln!(anstream::stderr(), "batch {batch}\n{}", inference.timed_plan())?;
        }
        Ok((batch, times))
    };
    args.batch.iter().map(one).collect()
}
