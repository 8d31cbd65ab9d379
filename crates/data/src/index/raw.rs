//! What a source found, before classes are counted and chosen.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use avizor_base::{Note, Split};

use crate::archive::Archive;
use crate::parquet::ParquetFile;

use super::ignored::{Ignored, Mentioned};
use super::texts::{TextColumn, TextColumnBuilder, Texts};

/// What names are relative to.
#[derive(Clone, Debug)]
pub(super) enum Root {
    Folder(PathBuf),
    Archive(Arc<Archive>),
    Parquet(Arc<ParquetFile>),
}

impl From<&Path> for Root {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }
}

/// A column of a table that is carried along, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataColumn {
    /// As in the table's first line.
    pub name: String,
    /// A text a sample; empty where the table says nothing.
    pub values: TextColumn,
}

/// How a table and its pictures fit together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableReport {
    /// The table's file name.
    pub table: String,
    /// Rows below the line of names.
    pub rows: usize,
    /// Rows that lead to no picture.
    pub without_file: Mentioned,
    /// Pictures that no row names.
    pub without_row: Mentioned,
    /// Rows that name a picture again; the first one counts.
    pub repeated: Mentioned,
    /// Pictures whose row has no class; left out.
    pub unlabelled: Mentioned,
}

/// Samples in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Raw {
    /// For messages: what the user named.
    pub(super) path: PathBuf,
    /// Start of a name → what the rest is relative to.
    pub(super) roots: Vec<(String, Root)>,
    pub(super) names: Texts,
    pub(super) labels: TextColumn,
    pub(super) groups: Option<TextColumn>,
    pub(super) given: Option<Vec<Option<Split>>>,
    pub(super) metadata: Vec<MetadataColumn>,
    pub(super) ignored: Ignored,
    pub(super) table: Option<TableReport>,
    pub(super) notes: Vec<Note>,
}

/// The columns that every source fills.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) names: Texts,
    pub(super) labels: TextColumnBuilder,
    pub(super) groups: TextColumnBuilder,
    pub(super) has_groups: bool,
    pub(super) given: Vec<Option<Split>>,
    pub(super) ignored: Ignored,
}

impl Rows {
    /// A sample; `group` empty where it has none.
    pub(super) fn push(&mut self, name: &str, label: &str, group: &str, given: Option<Split>) {
        self.names.push(name);
        self.labels.push(label);
        self.groups.push(group);
        self.has_groups |= !group.is_empty();
        self.given.push(given);
    }

    pub(super) fn finish(self, path: PathBuf, roots: Vec<(String, Root)>, notes: Vec<Note>) -> Raw {
        let has_given = self.given.iter().any(Option::is_some);
        Raw {
            path,
            roots,
            names: self.names,
            labels: self.labels.finish(),
            groups: self.has_groups.then(|| self.groups.finish()),
            given: has_given.then_some(self.given),
            metadata: Vec::new(),
            ignored: self.ignored,
            table: None,
            notes,
        }
    }
}

pub(super) fn note(kind: &str, text: String) -> Note {
    Note { kind: kind.to_owned(), text }
}
