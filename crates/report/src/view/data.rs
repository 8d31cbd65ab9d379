//! What the network was given: classes, balance, what the audit found.

use std::collections::BTreeMap;

use avizor_base::Split;
use avizor_store::{Finding, SampleRow, Severity};

use crate::chart::{Figure, class_balance, class_counts};
use crate::finding::data::{sentence, title};
use crate::stored::Stored;
use crate::{name, number};

/// Bars for more classes than this are folded away.
const MANY: usize = 30;

/// Names of samples that a finding shows.
const EXAMPLES: usize = 3;

/// The part of the page about data.
pub(crate) struct Data {
    /// Pictures a part, in a sentence.
    pub(crate) parts: Option<String>,
    pub(crate) many: bool,
    pub(crate) counts: Option<Figure>,
    pub(crate) balance: Option<Figure>,
    /// `None` where there was no audit.
    pub(crate) audit: Option<Vec<AuditRow>>,
}

/// One finding of the audit.
pub(crate) struct AuditRow {
    pub(crate) title: String,
    pub(crate) severity: &'static str,
    pub(crate) count: String,
    pub(crate) why: String,
    pub(crate) advice: String,
    pub(crate) examples: Vec<String>,
}

impl Data {
    pub(super) fn new(stored: &Stored) -> Self {
        let counts = stored.samples.as_deref().map(count).unwrap_or_default();
        Self {
            parts: stored.samples.as_deref().map(parts),
            many: counts.len() > MANY,
            counts: class_counts(&counts),
            balance: stored.balance.as_deref().and_then(class_balance),
            audit: stored.audit.as_ref().map(|audit| audit.findings.iter().map(audit_row).collect()),
        }
    }

    pub(super) fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.counts.iter().chain(&self.balance)
    }

    /// Whether there is anything to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_none() && self.balance.is_none() && self.audit.is_none()
    }
}

/// Pictures of each class in train, val and test; the largest class first.
pub(crate) fn count(samples: &[SampleRow]) -> Vec<(String, [u64; 3])> {
    let mut counts: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for sample in samples {
        if let Some(class) = &sample.class {
            counts.entry(class).or_default()[sample.split as usize] += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(class, parts)| (class.to_owned(), parts)).collect();
    counts.sort_by_key(|(_, parts)| std::cmp::Reverse(parts.iter().sum::<u64>()));
    counts
}

pub(crate) fn parts(samples: &[SampleRow]) -> String {
    let n = |split| samples.iter().filter(|sample| sample.split == split).count() as u64;
    let [train, val, test] = Split::ALL.map(|split| number::count(n(split)));
    let groups: std::collections::BTreeSet<_> = samples.iter().filter_map(|sample| sample.group.as_ref()).collect();
    let groups = if groups.is_empty() {
        String::new()
    } else {
        format!(", in {} groups that are never split", number::count(groups.len() as u64))
    };
    format!(
        "{}: {train} to train, {val} to choose by, {test} to test{groups}.",
        number::counted(samples.len() as u64, "picture")
    )
}

fn audit_row(finding: &Finding) -> AuditRow {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    AuditRow {
        title: title(&finding.kind),
        severity,
        count: number::found(finding),
        why: sentence(&finding.why),
        advice: sentence(&finding.advice),
        examples: examples(finding),
    }
}

/// The first cases in a line each, and how many more there are.
fn examples(finding: &Finding) -> Vec<String> {
    let mut lines: Vec<_> = finding.cases(|sample| name::short(sample, 60)).take(EXAMPLES).collect();
    let rest = finding.groups.len() - lines.len();
    if rest > 0 {
        lines.push(format!("and {} more", number::count(rest as u64)));
    }
    lines
}
