//! `avizor decide`.

use std::io::Write;

use avizor_base::nearest;
use avizor_data::Index;
use avizor_data::index::decisions::{Action, Decision, Decisions};
use avizor_train::{Recipe, Source};

use super::train::with_progress;
use crate::args::{Decide, Decided};
use crate::failure::Failure;
use crate::numbers::count;
use crate::session::{Session, now, recipe};

/// Findings whose pictures are copies: the first of them stays.
const COPIES: [&str; 2] = ["exact_duplicate", "near_duplicate"];
/// Findings about pictures that may all go.
const WHOLE: [&str; 11] = [
    "undecodable",
    "truncated",
    "damaged",
    "two_labels",
    "near_two_labels",
    "blank",
    "dark",
    "bright",
    "blurred",
    "odd_shape",
    "animated",
];

pub(crate) fn run(session: &Session, args: &Decide) -> Result<(), Failure> {
    let recipe = recipe(&args.path, &args.set)?;
    let file = avizor_train::decisions_file(&recipe)?;
    let mut decisions = Decisions::read(&file).map_err(|error| Failure::usage(error.to_string()))?;
    // What is only taken back must be possible where the pictures cannot be listed because of it.
    let source = || Source::of(&recipe);
    let (action, why) = match &args.what {
        Decided::List { json } => return list(&decisions, *json),
        Decided::Undo { decision, why } => (Action::Undo { decision: *decision }, why.clone()),
        Decided::Exclude { pictures, found: None, why } => {
            (Action::Exclude { pictures: known(source()?.index(), pictures)? }, why.clone())
        }
        Decided::Exclude { found: Some(kind), why, .. } => {
            let why = if why.is_empty() { format!("audit: {kind}") } else { why.clone() };
            (Action::Exclude { pictures: found(session, &recipe, kind)? }, why)
        }
        Decided::Relabel { pictures, class, why } => {
            let source = source()?;
            known_class(source.index(), class)?;
            (Action::Relabel { pictures: known(source.index(), pictures)?, class: class.clone() }, why.clone())
        }
        Decided::Merge { classes, into, why } => {
            let source = source()?;
            classes.iter().try_for_each(|class| known_class(source.index(), class))?;
            (Action::Merge { classes: classes.clone(), into: into.clone() }, why.clone())
        }
    };
    let decision = Decision { action, why, time: now() };
    let said = decision.to_string();
    decisions.append(&file, decision).map_err(|error| Failure::usage(error.to_string()))?;
    if !session.quiet {
        let number = decisions.lines().count();
        writeln!(anstream::stdout(), "{number}: {said}\nin {}", file.display())?;
    }
    Ok(())
}

fn list(decisions: &Decisions, json: bool) -> Result<(), Failure> {
    let mut out = anstream::stdout();
    let lines = || decisions.lines();
    if json {
        let line = |(number, decision, in_force): (usize, &Decision, bool)| serde_json::json!({ "number": number, "in_force": in_force, "decision": decision });
        let lines: Vec<serde_json::Value> = lines().map(line).collect();
        writeln!(out, "{}", serde_json::json!({ "format": 1, "decisions": lines }))?;
        return Ok(());
    }
    if lines().next().is_none() {
        writeln!(out, "nothing was decided")?;
    }
    for (number, decision, in_force) in lines() {
        let undone = !in_force && !matches!(decision.action, Action::Undo { .. });
        writeln!(out, "{number:>3}  {decision}{}", if undone { "  – undone" } else { "" })?;
    }
    Ok(())
}

/// Names of pictures that are there.
fn known(index: &Index, pictures: &[String]) -> Result<Vec<String>, Failure> {
    for name in pictures {
        if index.row_of(name).is_none() {
            let help = match nearest(name, index.names().iter()) {
                Some(near) => format!("the nearest name is \"{near}\""),
                None => "name pictures as `avizor audit` does, relative to the data folder".to_owned(),
            };
            return Err(Failure::usage(format!("there is no picture \"{name}\"")).help(help));
        }
    }
    Ok(pictures.to_vec())
}

fn known_class(index: &Index, class: &str) -> Result<(), Failure> {
    if index.classes().id(class).is_some() {
        return Ok(());
    }
    let help = match nearest(class, index.classes().names().iter().map(String::as_str)) {
        Some(near) => format!("the nearest name is \"{near}\""),
        None => format!("the classes are {}", index.classes().names().join(", ")),
    };
    Err(Failure::usage(format!("there is no class \"{class}\"")).help(help))
}

/// The pictures of a finding that may go.
fn found(session: &Session, recipe: &Recipe, kind: &str) -> Result<Vec<String>, Failure> {
    let first = usize::from(COPIES.contains(&kind));
    if first == 0 && !WHOLE.contains(&kind) {
        let kinds: Vec<&str> = COPIES.into_iter().chain(WHOLE).collect();
        return Err(Failure::usage(format!("pictures cannot be left out by the finding \"{kind}\""))
            .help(format!("it is possible for {}", kinds.join(", "))));
    }
    let audit = with_progress(session, |env| avizor_train::audit(recipe, env))?.page();
    let groups = audit.findings.iter().filter(|finding| finding.kind == kind).flat_map(|finding| &finding.groups);
    let pictures: Vec<String> = groups.flat_map(|group| group.iter().skip(first)).cloned().collect();
    if pictures.is_empty() {
        return Err(Failure::usage(format!("the audit finds no {}", kind.replace('_', " ")))
            .help(format!("see what it finds in the {} pictures by `avizor audit`", count(audit.samples))));
    }
    Ok(pictures)
}
