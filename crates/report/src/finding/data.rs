//! What the audit says that bears on trust.

use avizor_base::{Trust, Verdict};
use avizor_store::Severity;

use crate::finding::{Finding, Tone};
use crate::stored::Stored;
use crate::{name, number};

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
    findings.extend(audit.verdict.as_ref().map(of_verdict));
}

fn of_verdict(verdict: &Verdict) -> Finding {
    let tone = match verdict.evaluation {
        Trust::Valid => Tone::Fine,
        Trust::Doubtful => Tone::Care,
        Trust::NotValid => Tone::Problem,
    };
    let (word, sentence) = (verdict.evaluation.words(), name::shown(&verdict.sentence));
    Finding::new(tone, format!("The audit calls an evaluation on these pictures {word}: {sentence}."))
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
