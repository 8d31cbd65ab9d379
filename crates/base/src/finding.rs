//! What an audit found: made by `data`, stored by `store`, shown by `report`.

use serde::{Deserialize, Serialize};

/// One kind of thing that was found in a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable word, such as `exact_duplicate`.
    pub kind: String,
    /// How much it matters.
    pub severity: Severity,
    /// How many pictures it concerns, or groups where pictures belong together.
    pub count: u64,
    /// The pictures, those that belong together in one list. Paths are relative to the data folder.
    pub groups: Vec<Vec<String>>,
    /// A sentence for each group, or none at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Why it matters, a sentence.
    pub why: String,
    /// What to do, a sentence.
    #[serde(rename = "do")]
    pub advice: String,
}

impl Finding {
    /// The groups, each with its sentence where there is one.
    pub fn cases(&self) -> impl Iterator<Item = (&[String], Option<&str>)> {
        let detail = |at: usize| self.details.get(at).map(String::as_str);
        self.groups.iter().enumerate().map(move |(at, group)| (group.as_slice(), detail(at)))
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Numbers of this run are wrong or impossible because of it.
    Error,
    /// Numbers may mislead.
    Warning,
    /// Good to know.
    Info,
}
