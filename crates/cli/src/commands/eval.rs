//! `avizor eval`.

use std::io::Write;

use avizor_store::{Metrics, PartMetrics};

use super::train::with_progress;
use crate::args;
use crate::failure::Failure;
use crate::numbers;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::Eval) -> Result<(), Failure> {
    let tested = with_progress(session, |env| avizor_train::evaluate(&args.run, args.path.as_deref(), env))?;
    if let Some(path) = &args.predictions {
        tested.evaluated.predictions.write(path)?;
    }
    let metrics = &tested.evaluated.metrics;
    let mut out = anstream::stdout();
    if args.json {
        let answer = Metrics { test: Some(metrics.clone()), ..Metrics::default() };
        let text = serde_json::to_string(&answer).map_err(|error| Failure::run(error.to_string()))?;
        writeln!(out, "{text}")?;
        return Ok(());
    }
    writeln!(out, "{}: {} pictures", tested.what, numbers::count(metrics.n))?;
    for (name, measure) in [
        ("accuracy", &metrics.accuracy),
        ("macro precision", &metrics.macro_precision),
        ("macro recall", &metrics.macro_recall),
        ("macro F1", &metrics.macro_f1),
        ("log loss", &metrics.log_loss),
    ] {
        writeln!(out, "  {name:<16}{}", numbers::measure(measure, metrics.level, metrics.n))?;
    }
    classes(&mut out, metrics)?;
    if let Some(times) = tested.test_evaluations.filter(|&times| times > 1) {
        writeln!(
            out,
            "The test part was evaluated {times} times now. If any choice was made by its numbers, they flatter."
        )?;
    }
    Ok(())
}

/// Every class, the worst F1 first.
fn classes(out: &mut impl Write, metrics: &PartMetrics) -> std::io::Result<()> {
    let mut classes: Vec<_> = metrics.classes.iter().collect();
    classes.sort_by(|(_, a), (_, b)| {
        let f1 = |class: &avizor_store::ClassMetrics| class.f1.value().unwrap_or(f64::INFINITY);
        f1(a).total_cmp(&f1(b))
    });
    let width = classes.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).clamp(5, 40);
    writeln!(out, "\n  {:<width$}  precision  recall     F1  support", "class")?;
    for (name, class) in classes {
        let number = |measure: &avizor_store::Measure| measure.value().map_or("–".to_owned(), |v| format!("{v:.3}"));
        writeln!(
            out,
            "  {name:<width$}  {:>9}  {:>6}  {:>5}  {:>7}",
            number(&class.precision),
            number(&class.recall),
            number(&class.f1),
            class.support
        )?;
    }
    Ok(())
}
