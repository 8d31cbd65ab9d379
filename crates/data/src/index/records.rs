//! The rows of a table, whatever it is written in: comma, semicolon or tab separated values, or an object of JSON a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use csv::ByteRecord;
use serde_json::{Map, Value};

use super::error::IndexError;
use super::file_kind;

/// The longest line of JSON that is read, in bytes.
const LONGEST_LINE: u64 = 16 << 20;
/// Lines of JSON whose members are the columns: a member that only later ones have is none.
const LOOKED_AT: usize = 1000;

/// Rows, one after the other.
pub(super) struct Records<'t> {
    table: &'t Path,
    names: Vec<String>,
    rows: Rows,
}

enum Rows {
    Separated(Box<csv::Reader<File>>),
    Lines { reader: BufReader<File>, number: u64, line: Vec<u8> },
}

impl<'t> Records<'t> {
    /// Opens a table and reads what its columns are called.
    pub(super) fn open(table: &'t Path) -> Result<Self, IndexError> {
        match file_kind::extension(&table.to_string_lossy()).as_str() {
            "jsonl" | "ndjson" => {
                let mut first = Self { table, names: Vec::new(), rows: lines(table)? };
                let mut names: Vec<String> = Vec::new();
                for _ in 0..LOOKED_AT {
                    let Some(object) = first.object()? else { break };
                    object.into_iter().for_each(|(name, _)| {
                        if !names.contains(&name) {
                            names.push(name);
                        }
                    });
                }
                Ok(Self { table, names, rows: lines(table)? })
            }
            extension => {
                let delimiter = if extension == "tsv" { b'\t' } else { delimiter(table)? };
                let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(opened(table)?);
                let header = reader.byte_headers().map_err(|error| separated_error(table, &error))?;
                let names = header.iter().map(text).collect();
                Ok(Self { table, names, rows: Rows::Separated(Box::new(reader)) })
            }
        }
    }

    /// Of the columns.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads the next row into `record`, which knows its line; `false` after the last.
    pub(super) fn read(&mut self, record: &mut ByteRecord) -> Result<bool, IndexError> {
        if let Rows::Separated(reader) = &mut self.rows {
            return reader.read_byte_record(record).map_err(|error| separated_error(self.table, &error));
        }
        let Some(object) = self.object()? else { return Ok(false) };
        record.clear();
        for name in &self.names {
            record.push_field(&object.get(name).map(bytes).unwrap_or_default());
        }
        if let Rows::Lines { number, .. } = self.rows {
            let mut position = csv::Position::new();
            position.set_line(number);
            record.set_position(Some(position));
        }
        Ok(true)
    }

    /// The next line of JSON that is not empty.
    fn object(&mut self) -> Result<Option<Map<String, Value>>, IndexError> {
        let Rows::Lines { reader, number, line } = &mut self.rows else { return Ok(None) };
        loop {
            line.clear();
            *number += 1;
            let at = |reason: String| IndexError::Table { table: self.table.to_owned(), line: Some(*number), reason };
            let read = reader.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', line);
            if read.map_err(|error| IndexError::at(self.table, error))? == 0 {
                return Ok(None);
            }
            if line.len() as u64 > LONGEST_LINE {
                return Err(at(format!("the line has more than {} MiB", LONGEST_LINE >> 20)));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            return serde_json::from_slice(line).map(Some).map_err(|error| {
                let words = error.to_string();
                // Every line is the parser's first.
                let words = words.split(" at line ").next().unwrap_or_default();
                at(format!("the line is no object of JSON: {words}"))
            });
        }
    }
}

/// A member as a field would say it: text without its quotes, nothing for `null`.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

fn lines(table: &Path) -> Result<Rows, IndexError> {
    Ok(Rows::Lines { reader: BufReader::new(opened(table)?), number: 0, line: Vec::new() })
}

/// A file, after the byte order mark that spreadsheet programs begin UTF-8 with.
fn opened(table: &Path) -> Result<File, IndexError> {
    let failed = |error| IndexError::at(table, error);
    let mut file = File::open(table).map_err(failed)?;
    let mut start = [0; 3];
    let length = file.read(&mut start).map_err(failed)?;
    let skipped = if &start[..length] == b"\xef\xbb\xbf" { 3 } else { 0 };
    file.seek(std::io::SeekFrom::Start(skipped)).map_err(failed)?;
    Ok(file)
}

/// What the first line has most of.
fn delimiter(table: &Path) -> Result<u8, IndexError> {
    let mut line = Vec::new();
    let file = File::open(table).map_err(|error| IndexError::at(table, error))?;
    BufReader::new(file).read_until(b'\n', &mut line).map_err(|error| IndexError::at(table, error))?;
    let count = |wanted: u8| line.iter().filter(|&&byte| byte == wanted).count();
    // The last of equals wins, so a comma is what nothing else beats.
    Ok([b'\t', b';', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b','))
}

fn separated_error(table: &Path, error: &csv::Error) -> IndexError {
    let line = error.position().map(csv::Position::line);
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields and the first line names {expected_len}")
        }
        _ => error.to_string(),
    };
    IndexError::Table { table: table.to_owned(), line, reason }
}

/// Text as it is in the table, without blanks around it; what is not UTF-8 is marked, not refused.
pub(super) fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_support::write;

    fn rows(name: &str, content: &str) -> Result<(Vec<String>, Vec<Vec<String>>), String> {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), name, content.as_bytes());
        let path = folder.path().join(name);
        let mut records = Records::open(&path).map_err(|error| error.to_string())?;
        let (mut rows, mut record) = (Vec::new(), ByteRecord::new());
        while records.read(&mut record).map_err(|error| error.to_string())? {
            rows.push(record.iter().map(text).collect());
        }
        Ok((records.names().to_vec(), rows))
    }

    #[test]
    fn a_table_says_the_same_in_every_form() {
        let names = ["file", "label", "age"].map(str::to_owned).to_vec();
        let wanted = (
            names,
            vec![
                vec!["a.png".to_owned(), "cat, tabby".into(), "3".into()],
                vec!["b.png".into(), "dog".into(), String::new()],
            ],
        );
        for (name, content) in [
            ("t.csv", "\u{feff}file,label,age\na.png,\"cat, tabby\",3\nb.png,dog,\n"),
            ("t.csv", "file;label;age\na.png;cat, tabby;3\nb.png;dog;\n"),
            ("t.tsv", "file\tlabel\tage\na.png\tcat, tabby\t3\nb.png\tdog\t\n"),
            (
                "t.jsonl",
                "{\"file\":\"a.png\",\"label\":\"cat, tabby\",\"age\":3}\n\n{\"label\":\"dog\",\"file\":\"b.png\",\"age\":null}",
            ),
            (
                "t.ndjson",
                "\u{feff}{\"file\":\"a.png\",\"label\":\"cat, tabby\",\"age\":3}\r\n{\"file\":\"b.png\",\"label\":\"dog\"}\r\n",
            ),
        ] {
            assert_eq!(rows(name, content).unwrap(), wanted, "{content}");
        }
        assert_eq!(rows("t.jsonl", "{\"a\":true,\"b\":[1,2]}\n").unwrap().1, [["true", "[1,2]"]]);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        for (name, content, words) in [
            ("t.jsonl", "{\"a\":1}\n[1]\n", "t.jsonl:2: the line is no object of JSON: invalid type"),
            ("t.jsonl", "{\"a\":1}\n{\"a\":\n", "t.jsonl:2: the line is no object of JSON: EOF"),
            ("t.csv", "a,b\n1,2\n1\n", "the row has 1 fields and the first line names 2"),
        ] {
            let error = rows(name, content).unwrap_err();
            assert!(error.contains(words), "{content}: {error}");
        }
    }
}
