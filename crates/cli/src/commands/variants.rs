//! `avizor variants`.

use std::io::Write;

use avizor_experiments::{Plan, Progress, train_variants};
use avizor_store::{Comparison, ComparisonFolder, RunFolder};
use avizor_train::{Recipe, Variant};

use crate::args;
use crate::commands::fetch::first_use;
use crate::commands::train::with_environment;
use crate::failure::Failure;
use crate::numbers;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::Variants) -> Result<(), Failure> {
    let name = args.recipe.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let plan = Plan { name, variants: variants(args)?, seeds: u64::from(args.seeds) };
    plan.variants.iter().try_for_each(|variant| first_use(session, &variant.recipe))?;
    let folder = match &args.into {
        Some(path) => ComparisonFolder::new(path),
        None => ComparisonFolder::new(RunFolder::create(&args.runs, &plan.name, &session.today())?.path()),
    };
    let mut tell = |progress: Progress<'_>| {
        if session.quiet {
            return;
        }
        let Progress { variant, seed, fold, number, all, is_done } = progress;
        let fold = fold.map_or(String::new(), |(fold, of)| format!(", fold {fold} of {of}"));
        let done = if is_done { ": done already" } else { "" };
        // Progress that cannot be shown stops nothing.
        let _ = writeln!(anstream::stderr(), "\n{number} of {all}: {variant}, seed {seed}{fold}{done}");
    };
    let comparison = with_environment(session, |env| Ok(train_variants(&plan, &folder, env, &mut tell)?))?;
    let path = folder.path().display();
    let Some(comparison) = comparison else {
        return Err(Failure::run("stopped; what is trained is kept")
            .help(format!("go on with `avizor variants {} --into {path}`", args.recipe.display())));
    };
    for run in comparison.variants.iter().flat_map(|variant| &variant.runs) {
        avizor_report::write(&RunFolder::open(&folder.path().join(run))?)?;
    }
    let report = avizor_report::write_comparison(&folder, &comparison)?;
    let mut out = anstream::stdout();
    if args.json {
        return Ok(writeln!(out, "{}", serde_json::to_string(&comparison).unwrap_or_default())?);
    }
    table(&mut out, &comparison)?;
    for sentence in avizor_report::comparison_sentences(&comparison) {
        writeln!(out, "{}", sentence.replace('\u{a0}', " "))?;
    }
    if !session.quiet {
        writeln!(out, "report: {}", report.display())?;
    }
    Ok(())
}

/// Those of the recipe that are wanted, with the changes of the command line.
fn variants(args: &args::Variants) -> Result<Vec<Variant>, Failure> {
    let place = args.recipe.display().to_string();
    let text = std::fs::read_to_string(&args.recipe)
        .map_err(|error| Failure::usage(format!("{place}: {error}")).help("check the recipe's path"))?;
    let mut variants = Recipe::variants(&text, &place)?;
    let names: Vec<String> = variants.iter().map(|variant| variant.name.clone()).collect();
    if names.is_empty() {
        return Err(Failure::usage(format!("{place} has no variants"))
            .help("add some, each a table [variants.NAME] of lines \"section.option\" = value"));
    }
    if let Some(unknown) = args.only.iter().find(|name| !names.contains(name)) {
        return Err(Failure::usage(format!("{place} has no variant \"{unknown}\""))
            .help(format!("there are {}", names.join(", "))));
    }
    variants.retain(|variant| args.only.is_empty() || args.only.contains(&variant.name));
    for variant in &mut variants {
        let folds = args.folds.map(|folds| format!("split.folds={folds}"));
        variant.recipe.set(args.set.iter().chain(&folds).map(String::as_str))?;
    }
    Ok(variants)
}

fn table(out: &mut impl Write, comparison: &Comparison) -> Result<(), Failure> {
    let width = comparison.variants.iter().map(|variant| variant.name.chars().count()).max().unwrap_or(0).max(7);
    writeln!(out, "{:<width$}  val macro F1  {:<38}  {:<38}  {:>8}", "variant", "accuracy", "macro F1", "time")?;
    for variant in &comparison.variants {
        let measure = |measure| numbers::measure(measure, variant.level, variant.samples);
        writeln!(
            out,
            "{:<width$}  {:>12}  {:<38}  {:<38}  {:>8}{}",
            variant.name,
            variant.val_macro_f1.map_or("–".to_owned(), |f1| format!("{f1:.3}")),
            measure(&variant.accuracy),
            measure(&variant.macro_f1),
            numbers::seconds(variant.seconds),
            if comparison.chosen.as_ref() == Some(&variant.name) { "  chosen" } else { "" }
        )?;
    }
    Ok(writeln!(out)?)
}
