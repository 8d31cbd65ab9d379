//! `balance.csv`: how often each class is seen, before and after balancing.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{StoreError, file};

/// One row of `balance.csv`, in class order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalanceRow {
    /// The class.
    pub class: String,
    /// Its pictures in the training part.
    pub before: u64,
    /// How many of its pictures an epoch is expected to draw.
    pub after: f64,
}

const COLUMNS: &[&str] = &["class", "before", "after"];

/// Writes the table whole.
///
/// # Errors
/// What the file system says.
pub fn write_balance(path: &Path, rows: &[BalanceRow]) -> Result<(), StoreError> {
    file::write_table(path, COLUMNS, rows)
}

/// Reads the table.
///
/// # Errors
/// The file is not there, cannot be read, or has other columns or values; the line is named.
pub fn read_balance(path: &Path) -> Result<Vec<BalanceRow>, StoreError> {
    file::read_table(path, COLUMNS)
}
