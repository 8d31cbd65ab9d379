//! The page that `avizor audit --json` prints and a run keeps as `audit.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything an audit found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Version of this page: 1.
    pub format: u32,
    /// How many samples the index has.
    pub samples: usize,
    /// How many samples each class has.
    pub classes: BTreeMap<String, usize>,
    /// What was found, worst first.
    pub findings: Vec<Finding>,
}

impl AuditReport {
    /// The finding of a kind.
    pub fn finding(&self, kind: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.kind == kind)
    }
}

/// One kind of thing that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable name: see [`CHECKS`](super::CHECKS).
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// How many: pictures, or groups where pictures belong together.
    pub count: usize,
    /// Names relative to the data folder: pictures that belong together, or each alone.
    pub groups: Vec<Vec<String>>,
    /// A sentence for each group, or none at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Why it matters.
    pub why: String,
    /// What to do.
    #[serde(rename = "do")]
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Results may suffer.
    Warning,
    /// Samples are lost, or results are wrong.
    Error,
}
