//! What the audit says that bears on trust.

use avizor_store::{Audit, Severity};

use crate::finding::{Finding, Tone};
use crate::stored::Stored;
use crate::{name, number};

/// Kinds that mean the same picture, or the same subject, on both sides of a split.
const LEAKS: [&str; 2] = ["across_splits", "group_across_splits"];

pub(super) fn find(stored: &Stored, findings: &mut Vec<Finding>) {
    let Some(audit) = &stored.audit else { return };
    for found in &audit.findings {
        let tone = match found.severity {
            Severity::Error => Tone::Problem,
            Severity::Warning => Tone::Care,
            Severity::Info => continue,
        };
        let (count, why) = (number::found(found), sentence(&found.why));
        let text = format!("Audit, {} ({count}): {why}", title(&found.kind).to_lowercase());
        findings.push(Finding::new(tone, text));
    }
    findings.extend(no_leak(audit));
}

fn no_leak(audit: &Audit) -> Option<Finding> {
    let leaks = audit.findings.iter().any(|found| found.count > 0 && LEAKS.contains(&found.kind.as_str()));
    (!leaks).then(|| Finding::new(Tone::Fine, "The audit found no picture and no group on both sides of a split."))
}

/// `exact_duplicate` as `Exact duplicate`.
pub(crate) fn title(kind: &str) -> String {
    capital(&kind.replace('_', " "))
}

/// With its first letter large and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let text = capital(text);
    let stop = if text.ends_with(['.', '?', '…']) || text.is_empty() { "" } else { "." };
    text + stop
}

fn capital(text: &str) -> String {
    let text = name::shown(text);
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
