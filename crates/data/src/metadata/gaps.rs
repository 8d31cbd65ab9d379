//! What an encoder could not take as it is.

use std::fmt;

use super::MetadataEncoder;

/// What was missing or unknown in encoded rows. `Display` says it in a line, which is empty where all was well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// Rows that were encoded.
    pub rows: usize,
    /// In the order of the encoder's columns.
    pub columns: Vec<ColumnGaps>,
}

/// The same of one column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnGaps {
    /// Its name.
    pub column: String,
    /// Rows without a value.
    pub missing: usize,
    /// Rows whose text is no number, or no level that training rows had.
    pub unknown: usize,
    /// The first such text.
    pub example: String,
}

impl Gaps {
    /// Of no rows yet.
    pub fn new(encoder: &MetadataEncoder) -> Self {
        let column = |name: &str| ColumnGaps { column: name.to_owned(), ..ColumnGaps::default() };
        Self { rows: 0, columns: encoder.columns().iter().map(|of| column(of.column())).collect() }
    }

    /// Whether every value was taken as it is.
    pub fn is_empty(&self) -> bool {
        self.columns.iter().all(|column| column.missing + column.unknown == 0)
    }
}

impl ColumnGaps {
    pub(super) fn add(&mut self, text: &str, is_missing: bool) {
        if is_missing {
            self.missing += 1;
            return;
        }
        if self.unknown == 0 {
            text.clone_into(&mut self.example);
        }
        self.unknown += 1;
    }
}

impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Vec::new();
        for ColumnGaps { column, missing, unknown, example } in &self.columns {
            if *missing > 0 {
                said.push(format!("\"{column}\" is missing in {missing} of {} rows", self.rows));
            }
            match unknown {
                0 => {}
                1 => said.push(format!(
                    "\"{column}\" is \"{example}\" in 1 of {} rows, which no training row was",
                    self.rows
                )),
                n => said.push(format!(
                    "\"{column}\" is in {n} of {} rows what no training row was, such as \"{example}\"",
                    self.rows
                )),
            }
        }
        f.write_str(&said.join("; "))
    }
}
