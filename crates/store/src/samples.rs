//! `samples.csv`: every sample of a run and the part it is in.

use std::path::Path;

use avizor_base::Split;
use serde::{Deserialize, Serialize};

use crate::{StoreError, file};

/// One row of `samples.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleRow {
    /// Path inside the data folder, with `/` between its parts.
    pub path: String,
    /// Label; `None` where unknown.
    pub class: Option<String>,
    /// The part it is in.
    pub split: Split,
    /// What must stay on one side, such as a patient.
    pub group: Option<String>,
    /// SHA-256 of the file's bytes in hexadecimal, whole or its first digits; empty where it was not computed.
    pub content: String,
}

const COLUMNS: &[&str] = &["path", "class", "split", "group", "content"];

/// Writes the table whole.
///
/// # Errors
/// What the file system says.
pub fn write_samples(path: &Path, rows: &[SampleRow]) -> Result<(), StoreError> {
    file::write_table(path, COLUMNS, rows)
}

/// Reads the table.
///
/// # Errors
/// The file is not there, cannot be read, or has other columns or values; the line is named.
pub fn read_samples(path: &Path) -> Result<Vec<SampleRow>, StoreError> {
    file::read_table(path, COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str, class: Option<&str>) -> SampleRow {
        SampleRow {
            path: path.into(),
            class: class.map(str::to_owned),
            split: Split::Val,
            group: Some("p,1".into()),
            content: "ba7816bf".into(),
        }
    }

    #[test]
    fn awkward_names_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("samples.csv");
        for rows in
            [vec![], vec![row("a,b/\"c\".jpg", Some("line\nend")), row("é/🦊.png", None), row(" spaced ", Some(" x "))]]
        {
            write_samples(&path, &rows).unwrap();
            assert_eq!(read_samples(&path).unwrap(), rows);
        }
    }

    #[test]
    fn an_error_names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("samples.csv");
        for (text, end) in [
            ("path,class\n", "samples.csv:1: the columns must be path,class,split,group,content"),
            ("path,class,split,group,content\na,b,train\n", "samples.csv:2: the row has 3 cells, the header 5"),
            ("path,class,split,group,content\na,b,maybe,,\n", "samples.csv:2: "),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_samples(&path).unwrap_err().to_string();
            assert!(error.contains(end), "{error}");
        }
        assert!(read_samples(&folder.path().join("none.csv")).unwrap_err().is_missing());
    }
}
