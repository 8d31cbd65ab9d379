//! Sources and the index: which pictures there are, and what is known of each before it is opened.

mod build;
pub mod decisions;
mod embedded;
mod error;
mod file_kind;
mod ignored;
mod labelled;
mod lookup;
#[cfg(test)]
mod memory;
mod options;
mod parts;
mod pattern;
mod raw;
mod records;
mod shards;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod texts;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use avizor_base::{ClassId, ClassList, Note, SampleId, Split};

use crate::archive::{self, Archive};
use crate::parquet::{self, ParquetFile};
use crate::{Found, Place};
pub use decisions::Decisions;
pub use error::IndexError;
pub use ignored::{Ignored, IgnoredKind, Mentioned};
pub use lookup::{FoundMetadata, find_metadata};
pub use options::{DataOptions, LabelRule, PartOptions, PartSource, TableOptions};
pub use pattern::{NameParts, NamePattern, PatternError};
use raw::Root;

pub use raw::{MetadataColumn, TableReport};
pub use texts::{TextColumn, Texts};

/// The samples of a data set as columns, sorted by name. A row is a position in all of them.
///
/// A name is the path relative to the data folder with `/` between parts; where parts lie in folders of their own
/// outside it, the name begins with the part's.
#[derive(Clone, Debug)]
pub struct Index {
    roots: Vec<(String, Root)>,
    names: Texts,
    ids: Vec<SampleId>,
    labels: Vec<ClassId>,
    classes: ClassList,
    groups: Option<TextColumn>,
    given: Option<Vec<Option<Split>>>,
    metadata: Vec<MetadataColumn>,
    ignored: Ignored,
    table: Option<TableReport>,
    notes: Vec<Note>,
    decisions: Decisions,
}

impl Index {
    /// Lists the pictures of a source and their labels; opens no picture.
    ///
    /// # Errors
    /// A path that is missing, empty or without labelled pictures, fewer than two classes, an option that names what
    /// is not there, a class that only val or test has.
    pub fn read(options: &DataOptions) -> Result<Self, IndexError> {
        build::build(source::read(options)?, options, None)
    }

    /// As [`Index::read`] for pictures that a model shall be measured on: the classes are the model's, in its order,
    /// whichever of them occur.
    ///
    /// # Errors
    /// As [`Index::read`], but one class is enough; a class that the model does not know.
    pub fn read_for(options: &DataOptions, classes: &ClassList) -> Result<Self, IndexError> {
        build::build(source::read(options)?, options, Some(classes))
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none; never so after [`Index::read`].
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Name of a sample.
    ///
    /// # Panics
    /// Here and below when there are not so many rows.
    pub fn name(&self, row: usize) -> &str {
        self.names.get(row)
    }

    /// All names.
    pub fn names(&self) -> &Texts {
        &self.names
    }

    /// The row of a name.
    pub fn row_of(&self, name: &str) -> Option<usize> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            match self.name(middle).cmp(name) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Stable identity of a sample, from its name.
    pub fn id(&self, row: usize) -> SampleId {
        self.ids[row]
    }

    /// Where a sample's file is; of one in an archive or a Parquet file, that file's path with the name in it.
    pub fn path(&self, row: usize) -> PathBuf {
        match self.root(row) {
            Some((Root::Folder(folder), rest)) => folder.join(rest),
            Some((Root::Archive(archive), rest)) => archive.path().join(rest),
            Some((Root::Parquet(file), rest)) => file.path().join(rest),
            None => PathBuf::from(self.name(row)),
        }
    }

    /// Where a sample's bytes are; `path` is its [`Index::path`].
    pub fn place<'a>(&'a self, row: usize, path: &'a Path) -> Place<'a> {
        match self.root(row) {
            Some((Root::Archive(archive), rest)) => Place::Member(archive, rest),
            // Its name was made of its number.
            Some((Root::Parquet(file), rest)) => Place::Row(file, rest.parse().unwrap_or(u64::MAX)),
            _ => Place::File(path),
        }
    }

    /// Whether a sample has the name of a file, which may say its format; rows of a Parquet file have numbers.
    pub fn is_named(&self, row: usize) -> bool {
        !matches!(self.root(row), Some((Root::Parquet(_), _)))
    }

    /// What a sample's name is relative to, and the rest of it.
    fn root(&self, row: usize) -> Option<(&Root, &str)> {
        let name = self.name(row);
        // They are sorted by falling length of prefix, and every name begins with one.
        self.roots.iter().find_map(|(prefix, root)| Some((root, name.strip_prefix(prefix.as_str())?)))
    }

    /// Class of a sample.
    pub fn label(&self, row: usize) -> ClassId {
        self.labels[row]
    }

    /// Class of every sample.
    pub fn labels(&self) -> &[ClassId] {
        &self.labels
    }

    /// The classes: those of train.
    pub fn classes(&self) -> &ClassList {
        &self.classes
    }

    /// How many samples each class has.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        self.labels.iter().for_each(|label| counts[label.index()] += 1);
        counts
    }

    /// What a sample must stay together with, such as a patient; `None` where nothing is known.
    pub fn group(&self, row: usize) -> Option<&str> {
        self.groups.as_ref().map(|groups| groups.get(row)).filter(|group| !group.is_empty())
    }

    /// Whether any sample has a group.
    pub fn has_groups(&self) -> bool {
        self.groups.is_some()
    }

    /// The part that the source puts a sample into.
    pub fn given(&self, row: usize) -> Option<Split> {
        self.given.as_ref().and_then(|given| given[row])
    }

    /// Whether the source puts any sample into a part.
    pub fn has_given(&self) -> bool {
        self.given.is_some()
    }

    /// Columns of a table that are carried along.
    pub fn metadata(&self) -> &[MetadataColumn] {
        &self.metadata
    }

    /// What lies in the data folder and is no sample.
    pub fn ignored(&self) -> &Ignored {
        &self.ignored
    }

    /// How the table and its pictures fit, if there was one.
    pub fn table(&self) -> Option<&TableReport> {
        self.table.as_ref()
    }

    /// What a person decided about the pictures; it is applied already.
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// What was found out about the source by itself, and what a person should know.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// The pictures of a folder, an archive or a Parquet file without labels, as for prediction, sorted by name; any other file is
/// one picture, whatever is in it.
///
/// # Errors
/// A folder, archive or Parquet file that is missing, cannot be read, or holds no picture.
pub fn list_pictures(path: &Path) -> Result<Vec<Found>, IndexError> {
    let extension = file_kind::extension(&path.to_string_lossy());
    if path.is_dir() {
        let listing = walk::list(path)?;
        if listing.is_bare() {
            return Err(IndexError::EmptyFolder { path: path.to_owned() });
        }
        if listing.names.is_empty() && !listing.parquets.is_empty() {
            return rows(&listing.parquets.iter().map(|name| path.join(name)).collect::<Vec<_>>());
        }
        let found = listing.names.iter().map(|name| Found::File(path.join(name))).collect();
        return some(path, found, &listing.ignored);
    }
    if extension == parquet::EXTENSION {
        return rows(&[path.to_owned()]);
    }
    if archive::EXTENSIONS.contains(&extension.as_str()) {
        let archive = Arc::new(Archive::open(path)?);
        let listing = walk::list_archive(Arc::clone(&archive));
        let found = listing.names.iter().map(|name| Found::Member(Arc::clone(&archive), name.to_owned())).collect();
        return some(path, found, &listing.ignored);
    }
    Ok(vec![Found::File(path.to_owned())])
}

/// The rows of Parquet files.
fn rows(paths: &[PathBuf]) -> Result<Vec<Found>, IndexError> {
    let (mut found, cache) = (Vec::new(), Arc::default());
    for path in paths {
        let file = Arc::new(ParquetFile::open(path, None, &cache)?);
        found.extend((0..file.rows()).map(|row| Found::Row(Arc::clone(&file), row)));
    }
    Ok(found)
}

fn some(path: &Path, found: Vec<Found>, ignored: &Ignored) -> Result<Vec<Found>, IndexError> {
    match found.is_empty() {
        true => Err(IndexError::NoPictures { path: path.to_owned(), ignored: ignored.to_string() }),
        false => Ok(found),
    }
}
