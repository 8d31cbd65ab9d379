//! `audit.json`: what is wrong with the pictures.

use avizor_base::{Finding, Verdict};
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
    /// How pictures are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<PictureStatistics>,
    /// Whether an evaluation would be worth anything; `None` where the pictures are in no parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What was found, the most serious first.
    pub findings: Vec<Finding>,
}

/// How the pictures of a data set are stored; of those that can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureStatistics {
    /// Pixels of a row, as stored.
    pub width: Quartiles,
    /// Rows, as stored.
    pub height: Quartiles,
    /// Width by height, in hundredths.
    pub aspect_percent: Quartiles,
    /// Bytes of a file.
    pub bytes: Quartiles,
    /// Pictures a format, the most frequent first.
    pub formats: Named<u64>,
    /// Pictures a mode (`rgb`, `gray`, …), the most frequent first.
    pub modes: Named<u64>,
}

/// Where values lie: a quarter of them up to each but the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quartiles {
    /// The least.
    pub min: u64,
    /// A quarter is not greater.
    pub q25: u64,
    /// Half are not greater.
    pub median: u64,
    /// Three quarters are not greater.
    pub q75: u64,
    /// The greatest.
    pub max: u64,
}

impl Quartiles {
    /// Of some values; zeros where there is none.
    pub fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let place = |quarter: usize| (values.len() * quarter).div_ceil(4).saturating_sub(1);
        let at = |quarter: usize| values.get(place(quarter)).copied().unwrap_or(0);
        Self { min: at(0), q25: at(1), median: at(2), q75: at(3), max: at(4) }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_values_is_not_greater() {
        let quartiles = |values: &[u64]| {
            let Quartiles { min, q25, median, q75, max } = Quartiles::of(values.to_vec());
            [min, q25, median, q75, max]
        };
        assert_eq!(quartiles(&[]), [0; 5]);
        assert_eq!(quartiles(&[7]), [7; 5]);
        assert_eq!(quartiles(&[3, 1, 2]), [1, 1, 2, 3, 3]);
        assert_eq!(quartiles(&[8, 7, 6, 5, 4, 3, 2, 1]), [1, 2, 4, 6, 8]);
    }
}
