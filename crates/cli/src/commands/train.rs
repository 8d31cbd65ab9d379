//! `avizor train` and `avizor resume`.

use std::io::Write;

use avizor_models::PUBLISHED;
use avizor_store::PartMetrics;
use avizor_train::{Environment, Freedom, Outcome, TrainError, within};

use super::fetch::first_use;
use crate::args;
use crate::failure::Failure;
use crate::numbers;
use crate::progress::{Progress, ReadingBar};
use crate::session::{Session, network_is_open, training_recipe};

pub(crate) fn run(session: &Session, args: &args::Train) -> Result<(), Failure> {
    let (mut recipe, weights) = training_recipe(&args.path, &args.set)?;
    let is_open = network_is_open(&args.path, &args.set);
    if is_open && !session.quiet {
        // A note that cannot be shown stops nothing.
        let _ = writeln!(anstream::stderr(), "note: {}", beginning(weights));
    }
    if let Some(seed) = args.seed {
        (recipe.train.seed, recipe.split.seed) = (seed, seed);
    }
    first_use(session, &recipe)?;
    let freedom = if is_open { Freedom::All } else { Freedom::Epochs };
    let outcome = with_progress(session, |env| {
        if let Some(time) = args.time {
            let note;
            (recipe, note) = within(&recipe, time, freedom, &args.runs, env)?;
            env.notes.push(note);
        }
        avizor_train::train(&recipe, &args.runs, env)
    })?;
    tell(session, &outcome, args.json)
}

/// What a training begins with for which nobody chose a network.
fn beginning(weights: Option<&str>) -> String {
    match weights {
        Some(network) => format!(
            "ImageNet weights of {network} are at hand: training starts from them, the head first \
             (--set model.weights=none: from random ones)"
        ),
        None => format!(
            "no ImageNet weights are at hand, so training starts from random ones; with them most sets are learned far better \
             and sooner: `avizor weights fetch {}`, then this command again",
            PUBLISHED[0].network
        ),
    }
}

pub(crate) fn resume(session: &Session, args: &args::Resume) -> Result<(), Failure> {
    let outcome = with_progress(session, |env| avizor_train::resume(&args.run, env))?;
    tell(session, &outcome, args.json)
}

/// Runs a verb with a bar for reading, a line an epoch, and Ctrl-C as a request.
pub(crate) fn with_progress<T>(
    session: &Session,
    verb: impl FnOnce(&mut Environment<'_>) -> Result<T, TrainError>,
) -> Result<T, Failure> {
    with_environment(session, |env| Ok(verb(env)?))
}

/// The same for what fails in other ways too.
pub(crate) fn with_environment<T>(
    session: &Session,
    verb: impl FnOnce(&mut Environment<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    session.stop_on_ctrl_c()?;
    let mut progress = Progress::new(session.quiet);
    let mut reading = ReadingBar::new(session.quiet);
    let mut on_reading = |so_far| reading.on_reading(so_far);
    verb(&mut session.environment(&mut progress, &mut on_reading))
}

/// Draws the report and prints what came out.
pub(crate) fn tell(session: &Session, outcome: &Outcome, json: bool) -> Result<(), Failure> {
    let run = outcome.run.path().display();
    if outcome.interrupted {
        return Err(Failure::run(format!("{run} was interrupted; its state is kept"))
            .help(format!("go on with `avizor resume {run}`")));
    }
    let report = avizor_report::write(&outcome.run)?;
    let mut out = anstream::stdout();
    if json {
        let answer = serde_json::json!({
            "format": 1,
            "run": outcome.run.path(),
            "report": report,
            "test": outcome.test.as_ref().map(headline),
            "val": outcome.val.as_ref().map(headline),
            "fine_tuning": outcome.fine_tuning,
        });
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    for (part, metrics) in [("val", &outcome.val), ("test", &outcome.test)] {
        let Some(metrics) = metrics else { continue };
        let groups = metrics.groups.map_or(String::new(), |groups| format!(", {groups} groups"));
        writeln!(
            out,
            "{part:>4}: accuracy  {}{groups}",
            numbers::measure(&metrics.accuracy, metrics.level, metrics.n)
        )?;
        writeln!(out, "      macro F1  {}", numbers::measure(&metrics.macro_f1, metrics.level, metrics.n))?;
    }
    if let Some(gained) = &outcome.fine_tuning {
        match gained.gain.why().filter(|_| gained.gain.value().is_none()) {
            Some(why) => writeln!(out, "      fine-tuning: {why}")?,
            None => {
                let head = numbers::measure(&gained.head_accuracy, gained.level, gained.gain.n().unwrap_or(0));
                writeln!(out, "      head alone {head}")?;
                writeln!(out, "      fine-tuning gained {}", numbers::difference(&gained.gain, gained.level))?;
            }
        }
    }
    if !session.quiet {
        writeln!(out, "report: {}", report.display())?;
    }
    Ok(())
}

fn headline(metrics: &PartMetrics) -> serde_json::Value {
    serde_json::json!({
        "n": metrics.n,
        "accuracy": metrics.accuracy,
        "macro_f1": metrics.macro_f1,
        "log_loss": metrics.log_loss,
    })
}
