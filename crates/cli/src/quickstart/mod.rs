//! `avizor quickstart`: a set of pictures of its own, and the whole way to a report.

mod draw;
mod shapes;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use avizor_base::Seed;
use avizor_train::Recipe;

use crate::args;
use crate::commands;
use crate::failure::Failure;
use crate::session::Session;

const RECIPE: &str = include_str!("recipe.toml");

pub(crate) fn run(session: &Session, args: &args::Quickstart) -> Result<(), Failure> {
    let pictures = pictures(session, &args.dir, Seed(args.seed))?;
    let mut recipe = Recipe::parse(RECIPE, "the quickstart recipe")?;
    recipe.data.path = Some(pictures.to_string_lossy().into_owned());
    (recipe.train.seed, recipe.split.seed) = (args.seed, args.seed);
    recipe.set(args.set.iter().map(String::as_str))?;
    let runs = args.dir.join("runs");
    let outcome = commands::train::with_progress(session, |env| avizor_train::train(&recipe, &runs, env))?;
    if !session.quiet {
        found(&outcome.run)?;
    }
    commands::train::tell(session, &outcome, false)?;
    if !session.quiet {
        let run = outcome.run.path().display();
        let example = pictures.join("star").join("star_001.png");
        writeln!(anstream::stderr(), "next: avizor predict {run} {}", example.display())?;
        writeln!(anstream::stderr(), "      avizor train YOUR-FOLDER, with a folder of pictures for each class")?;
    }
    Ok(())
}

/// Draws the set, or takes the one that an earlier quickstart has drawn.
fn pictures(session: &Session, dir: &Path, seed: Seed) -> Result<PathBuf, Failure> {
    let pictures = dir.join(format!("shapes-{}", seed.0));
    if pictures.is_dir() {
        return Ok(pictures);
    }
    if !session.quiet {
        let shapes = shapes::SHAPES.map(|shape| shape.name).join(", ");
        writeln!(anstream::stderr(), "drawing {} pictures each of {shapes}", draw::PER_CLASS)?;
    }
    // Drawn beside its place and renamed: an interrupted quickstart leaves no half set behind that looks whole.
    let partial = dir.join(".shapes.partial");
    let failed =
        |error: std::io::Error| Failure::run(format!("no pictures can be drawn in {}: {error}", dir.display()));
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(failed)?;
    }
    fs::create_dir_all(&partial).map_err(failed)?;
    draw::draw_set(&partial, seed, draw::PER_CLASS, session.threads).map_err(failed)?;
    fs::rename(&partial, &pictures).map_err(failed)?;
    Ok(pictures)
}

/// What the audit found, a line a kind.
fn found(run: &avizor_store::RunFolder) -> Result<(), Failure> {
    let audit = run.read_audit()?;
    let mut err = anstream::stderr();
    writeln!(err, "the audit found, as it should (some files are wrong on purpose):")?;
    for finding in &audit.findings {
        let names: Vec<String> = finding.cases(str::to_owned).take(3).collect();
        writeln!(err, "  {:<16} {:>3}  {}", finding.kind.replace('_', " "), finding.count, names.join("; "))?;
    }
    Ok(())
}
