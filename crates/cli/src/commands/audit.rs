//! `avizor audit`.

use std::io::Write;
use std::path::Path;

use avizor_report::{AuditSource, SMALL_SIDE};
use avizor_store::{Audit, Severity};
use avizor_train::Audited;

use super::fetch::first_use;
use super::train::with_progress;
use crate::args;
use crate::failure::Failure;
use crate::numbers::count;
use crate::session::{Session, recipe};

/// How many names of a finding are printed; JSON has them all.
const SHOWN: usize = 5;

pub(crate) fn run(session: &Session, args: &args::Audit) -> Result<(), Failure> {
    let recipe = recipe(&args.path, &args.set)?;
    first_use(session, &recipe)?;
    let audited = with_progress(session, |env| avizor_train::audit(&recipe, env))?;
    let audit = audited.page();
    if let Some(path) = &args.html {
        draw(path, &audited, &audit)?;
    }
    let mut out = anstream::stdout();
    if args.json {
        let text = serde_json::to_string(&audit).map_err(|error| Failure::run(error.to_string()))?;
        writeln!(out, "{text}")?;
        return Ok(());
    }
    print(&mut out, &audit)?;
    if let (Some(path), false) = (&args.html, session.quiet) {
        writeln!(out, "\npage: {}", path.display())?;
    }
    Ok(())
}

fn draw(path: &Path, audited: &Audited, audit: &Audit) -> Result<(), Failure> {
    let source = AuditSource {
        name: audited.name(),
        audit,
        samples: &audited.samples(),
        sizes: &audited.sizes(),
        picture: &|name| audited.small_picture(name, SMALL_SIDE),
    };
    Ok(avizor_report::write_audit(path, &source)?)
}

/// Findings by severity: what, how many, which, why, what to do.
pub(crate) fn print(out: &mut impl Write, audit: &Audit) -> std::io::Result<()> {
    if let Some(verdict) = &audit.verdict {
        writeln!(out, "An evaluation on these pictures is {}: {}.", verdict.evaluation.words(), verdict.sentence)?;
    }
    writeln!(out, "{} pictures, {} classes", count(audit.samples), audit.classes.iter().count())?;
    if audit.findings.is_empty() {
        return writeln!(out, "nothing found");
    }
    for finding in &audit.findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let reasons = match finding.reasons() {
            Some(reasons) => format!(" for {reasons} reason{}", if reasons == 1 { "" } else { "s" }),
            None => String::new(),
        };
        writeln!(out, "\n{severity}: {} ({}{reasons})", finding.kind.replace('_', " "), count(finding.count))?;
        for case in finding.cases(str::to_owned).take(SHOWN) {
            writeln!(out, "  {case}")?;
        }
        if finding.groups.len() > SHOWN {
            writeln!(out, "  … and {} more", count((finding.groups.len() - SHOWN) as u64))?;
        }
        writeln!(out, "  why: {}\n  do:  {}", finding.why, finding.advice)?;
    }
    Ok(())
}
