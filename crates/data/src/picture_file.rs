//! The bytes of a picture's file, under a limit.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::Archive;
use crate::decode::{DecodeError, DecodeOptions, Decoded, Limits, decode};
use crate::parquet::ParquetFile;

/// Why a file does not become a picture. The text is written to follow the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The file system says no.
    #[error("cannot be read: {0}")]
    File(String),
    /// The bytes are no picture.
    #[error(transparent)]
    Picture(#[from] DecodeError),
}

/// Where a picture's bytes are.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// A file of its own.
    File(&'a Path),
    /// A file in an archive, by its name there.
    Member(&'a Archive, &'a str),
    /// A row of a Parquet file, by its number.
    Row(&'a ParquetFile, u64),
}

/// A picture that was found, before it is read.
#[derive(Clone, Debug)]
pub enum Found {
    /// A file of its own.
    File(PathBuf),
    /// A file in an archive, by its name there.
    Member(Arc<Archive>, String),
    /// A row of a Parquet file, by its number.
    Row(Arc<ParquetFile>, u64),
}

impl Found {
    /// Where its bytes are.
    pub fn place(&self) -> Place<'_> {
        match self {
            Self::File(path) => Place::File(path),
            Self::Member(archive, name) => Place::Member(archive, name),
            Self::Row(file, row) => Place::Row(file, *row),
        }
    }

    /// What it is called: its path, or that of the file which holds it with its own name in there.
    pub fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Member(archive, name) => archive.path().join(name),
            Self::Row(file, row) => file.path().join(row_name(*row)),
        }
    }
}

/// What a row of a Parquet file is called, by its number.
pub(crate) fn row_name(row: u64) -> String {
    format!("{row:06}")
}

/// Fills `bytes` with a file, of which no more than the limit is read.
pub(crate) fn read(place: Place<'_>, limits: &Limits, bytes: &mut Vec<u8>) -> Result<(), Unreadable> {
    let failed = |error: std::io::Error| Unreadable::File(error.to_string());
    bytes.clear();
    match place {
        Place::File(path) => return read_file(path, limits, bytes),
        Place::Member(archive, name) => archive.read(name, limits.max_bytes, bytes),
        Place::Row(file, row) => file.read(row, limits.max_bytes, bytes),
    }
    .map_err(failed)?;
    let length = bytes.len() as u64;
    match length > limits.max_bytes {
        true => Err(DecodeError::TooManyBytes { bytes: length, limit: limits.max_bytes }.into()),
        false => Ok(()),
    }
}

fn read_file(path: &Path, limits: &Limits, bytes: &mut Vec<u8>) -> Result<(), Unreadable> {
    let failed = |error: std::io::Error| Unreadable::File(error.to_string());
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length > limits.max_bytes {
        return Err(DecodeError::TooManyBytes { bytes: length, limit: limits.max_bytes }.into());
    }
    // A file that grows meanwhile is cut here; the decoder refuses it by the same limit.
    file.take(limits.max_bytes.saturating_add(1)).read_to_end(bytes).map_err(failed)?;
    Ok(())
}

/// Reads and decodes a file; `bytes` is a buffer to reuse.
///
/// # Errors
/// The file system says no, or the bytes are no picture within the limits.
pub fn read_picture(path: &Path, options: &DecodeOptions, bytes: &mut Vec<u8>) -> Result<Decoded, Unreadable> {
    read_place(Place::File(path), options, bytes)
}

/// As [`read_picture`], wherever it is.
///
/// # Errors
/// As there.
pub fn read_place(place: Place<'_>, options: &DecodeOptions, bytes: &mut Vec<u8>) -> Result<Decoded, Unreadable> {
    read(place, &options.limits, bytes)?;
    Ok(decode(bytes, options)?)
}
