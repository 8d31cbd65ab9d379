//! `avizor split`.

use std::io::Write;

use avizor_base::Split;
use avizor_store::SampleRow;
use avizor_train::Audited;

use super::fetch::first_use;
use super::train::with_progress;
use crate::args;
use crate::failure::Failure;
use crate::numbers::count;
use crate::session::{Session, recipe};

pub(crate) fn run(session: &Session, args: &args::Split) -> Result<(), Failure> {
    let mut recipe = recipe(&args.path, &args.set)?;
    recipe.split.seed = args.seed.unwrap_or(recipe.split.seed);
    first_use(session, &recipe)?;
    let audited = with_progress(session, |env| avizor_train::audit(&recipe, env))?;
    audited.require_split()?;
    let samples = audited.samples();
    let mut out = anstream::stdout();
    if let Some(file) = &args.out {
        avizor_store::write_samples(file, &samples)?;
    }
    let folders = args.materialize.as_ref().map(|target| Ok::<_, Failure>((target, audited.materialize(target)?)));
    let folders = folders.transpose()?;
    if args.json {
        writeln!(out, "{}", page(&audited, &samples))?;
        return Ok(());
    }
    print(&mut out, &audited, &samples)?;
    if session.quiet {
        return Ok(());
    }
    if let Some(file) = &args.out {
        writeln!(out, "\ntable: {}", file.display())?;
    }
    if let Some((target, made)) = folders {
        let [linked, copied] = [made.linked, made.copied].map(|files| count(files as u64));
        writeln!(out, "\nfolders: {} ({linked} links, {copied} copies)", target.display())?;
    }
    Ok(())
}

/// Pictures of each class in train, val and test.
fn table(audited: &Audited, samples: &[SampleRow]) -> Vec<(String, [u64; 3])> {
    let mut counts: Vec<(String, [u64; 3])> =
        audited.page().classes.iter().map(|(class, _)| (class.to_owned(), [0; 3])).collect();
    for sample in samples {
        let row = counts.iter_mut().find(|(class, _)| Some(class) == sample.class.as_ref());
        if let Some((_, parts)) = row {
            parts[sample.split as usize] += 1;
        }
    }
    counts
}

fn print(out: &mut impl Write, audited: &Audited, samples: &[SampleRow]) -> std::io::Result<()> {
    if let Some(verdict) = audited.page().verdict {
        writeln!(out, "An evaluation on this split is {}: {}.\n", verdict.evaluation.words(), verdict.sentence)?;
    }
    let counts = table(audited, samples);
    let width = counts.iter().map(|(class, _)| class.chars().count()).max().unwrap_or(0).max(5);
    let [train, val, test] = Split::ALL.map(Split::name);
    writeln!(out, "{:width$}  {train:>9}  {val:>9}  {test:>9}", "class")?;
    let mut line = |name: &str, parts: [u64; 3]| {
        let [train, val, test] = parts.map(count);
        writeln!(out, "{name:width$}  {train:>9}  {val:>9}  {test:>9}")
    };
    counts.iter().try_for_each(|(class, parts)| line(class, *parts))?;
    line("all", counts.iter().fold([0; 3], |sum, (_, parts)| std::array::from_fn(|part| sum[part] + parts[part])))
}

fn page(audited: &Audited, samples: &[SampleRow]) -> serde_json::Value {
    let parts = |[train, val, test]: [u64; 3]| serde_json::json!({ "train": train, "val": val, "test": test });
    let classes: serde_json::Map<String, serde_json::Value> =
        table(audited, samples).into_iter().map(|(class, counts)| (class, parts(counts))).collect();
    serde_json::json!({ "format": 1, "classes": classes, "verdict": audited.page().verdict })
}
