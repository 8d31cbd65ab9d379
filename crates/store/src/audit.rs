//! `audit.json`: what is wrong with the pictures.

use serde::{Deserialize, Serialize};

use crate::{Format, Named, RunFolder, StoreError, file};

/// The content of `audit.json`, and what `avizor audit --json` prints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Version of this file's shape.
    pub format: Format,
    /// Pictures looked at.
    pub samples: u64,
    /// Pictures a class.
    pub classes: Named<u64>,
    /// What was found, the most serious first.
    pub findings: Vec<Finding>,
}

/// One kind of thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable word, such as `exact_duplicate`.
    pub kind: String,
    /// How much it matters.
    pub severity: Severity,
    /// How many samples or groups it concerns.
    pub count: u64,
    /// The samples, those that belong together in one list. Paths are relative to the data folder.
    pub groups: Vec<Vec<String>>,
    /// Why it matters, a sentence.
    pub why: String,
    /// What to do, a sentence.
    #[serde(rename = "do")]
    pub advice: String,
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

impl RunFolder {
    /// Stores `audit.json`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write_audit(&self, audit: &Audit) -> Result<(), StoreError> {
        file::write_json(&self.audit_path(), audit)
    }

    /// Reads `audit.json`.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is not of this shape.
    pub fn read_audit(&self) -> Result<Audit, StoreError> {
        file::read_json(&self.audit_path())
    }
}
