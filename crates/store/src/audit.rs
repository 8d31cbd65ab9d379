//! `audit.json`: what is wrong with the pictures.

use avizor_base::Finding;
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
