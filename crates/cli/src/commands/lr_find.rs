//! `avizor lr-find`.

use std::io::Write;

use avizor_train::test_rates;

use crate::args;
use crate::commands::fetch::first_use;
use crate::commands::train::with_progress;
use crate::failure::Failure;
use crate::session::{Session, training_recipe};

pub(crate) fn run(session: &Session, args: &args::LrFind) -> Result<(), Failure> {
    let (recipe, _) = training_recipe(&args.path, &args.set)?;
    first_use(session, &recipe)?;
    let test = with_progress(session, |env| test_rates(&recipe, usize::from(args.steps), &args.runs, env))?;
    let plot = avizor_report::write_rate_test(&test.folder, &test.points, test.suggestion)?;
    let mut out = anstream::stdout();
    if args.json {
        let answer = serde_json::json!({
            "format": 1,
            "suggestion": test.suggestion,
            "lowest": test.lowest,
            "steepest": test.steepest,
            "points": test.points,
            "plot": plot,
        });
        return Ok(writeln!(out, "{answer}")?);
    }
    writeln!(out, "the loss falls fastest at a rate of {:.1e} and is lowest at {:.1e}", test.steepest, test.lowest)?;
    writeln!(out, "begin with a tenth of that: optimizer.lr = {:.1e}", test.suggestion)?;
    if !session.quiet {
        writeln!(out, "plot: {}", plot.display())?;
    }
    Ok(())
}
