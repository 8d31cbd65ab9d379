//! Bytes, text, JSON and tables in and out, with errors that name the file.

use std::fs;
use std::path::Path;

use avizor_base::atomic_file;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{StoreError, readable_json};

pub(crate) fn read_text(path: &Path) -> Result<String, StoreError> {
    fs::read_to_string(path).map_err(|error| StoreError::read(path, error))
}

pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    fs::read(path).map_err(|error| StoreError::read(path, error))
}

/// Writes the whole file or nothing, making its folder where needed.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| StoreError::write(folder, error))?;
    }
    atomic_file::write(path, bytes).map_err(|error| StoreError::write(path, error))
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    let bytes = read_bytes(path)?;
    serde_json::from_slice(&bytes).map_err(|source| StoreError::Json { path: path.to_owned(), source })
}

/// On lines that people can read.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), StoreError> {
    let value = serde_json::to_value(value).map_err(|source| StoreError::Json { path: path.to_owned(), source })?;
    write_bytes(path, readable_json::draw(&value).as_bytes())
}

/// A value a line.
pub(crate) fn write_json_lines<T: Serialize>(path: &Path, values: impl Iterator<Item = T>) -> Result<(), StoreError> {
    let mut text = String::new();
    for value in values {
        text += &serde_json::to_string(&value).map_err(|source| StoreError::Json { path: path.to_owned(), source })?;
        text.push('\n');
    }
    write_bytes(path, text.as_bytes())
}

/// Rows of a type whose fields are the columns. An empty table keeps its header.
pub(crate) fn write_table<T: Serialize>(path: &Path, header: &[&str], rows: &[T]) -> Result<(), StoreError> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(header).map_err(|error| StoreError::csv(path, error))?;
    for row in rows {
        writer.serialize(row).map_err(|error| StoreError::csv(path, error))?;
    }
    write_bytes(path, &finish_table(path, writer)?)
}

pub(crate) fn finish_table(path: &Path, writer: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, StoreError> {
    writer.into_inner().map_err(|error| StoreError::write(path, error.into_error()))
}

pub(crate) fn read_table<T: DeserializeOwned>(path: &Path, header: &[&str]) -> Result<Vec<T>, StoreError> {
    let bytes = read_bytes(path)?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let have = reader.headers().map_err(|error| StoreError::csv(path, error))?;
    if !have.iter().eq(header.iter().copied()) {
        return Err(StoreError::table(path, Some(1), format!("the columns must be {}", header.join(","))));
    }
    reader.deserialize().map(|row| row.map_err(|error| StoreError::csv(path, error))).collect()
}
