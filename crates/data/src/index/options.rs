//! What a recipe's `[data]` says, as types.

use std::path::PathBuf;

use avizor_base::Seed;

use super::decisions;
use super::pattern::NamePattern;

/// Where the pictures are and how they get their labels.
///
/// Only `path` is needed: a folder is looked at and what it seems to be is said in a note of the index.
#[derive(Clone, Debug, PartialEq)]
pub struct DataOptions {
    /// A folder of pictures, or a CSV or TSV table. Recipe: `data.path`.
    pub path: PathBuf,
    /// How a sample gets its class. Recipe: by which of the others is given.
    pub label: LabelRule,
    /// The parts, where each has a place of its own. Recipe: `data.train`, `data.val`, `data.test`. Without `train`
    /// the other two are an error.
    pub parts: PartOptions,
    /// What is in a table. Recipe: `data.table`, `data.file_column` and so on.
    pub table: TableOptions,
    /// The classes to use; empty: all. Names as after `rename`. Recipe: `data.classes`.
    pub classes: Vec<String>,
    /// Old and new class names; two old names with one new name are merged. Recipe: `data.rename`.
    pub rename: Vec<(String, String)>,
    /// How much of every class of the training part to use, in `0.0..=1.0` but not 0. Samples are chosen by rank of a hash, so a
    /// larger fraction holds the smaller one. Given val and test parts stay whole. Recipe: `data.fraction`.
    pub fraction: f64,
    /// Chooses the samples of `fraction`.
    pub seed: Seed,
}

impl DataOptions {
    /// All defaults for a folder or table.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            label: LabelRule::Auto,
            parts: PartOptions::default(),
            table: TableOptions::default(),
            classes: Vec::new(),
            rename: Vec::new(),
            fraction: 1.0,
            seed: Seed(42),
        }
    }
}

impl DataOptions {
    /// Where decisions about the pictures stand: in the data folder, or beside the table or archive under its name.
    pub fn decisions_file(&self) -> PathBuf {
        match self.path.file_name() {
            Some(name) if self.path.is_file() => {
                self.path.with_file_name(format!("{}.{}", name.to_string_lossy(), decisions::FILE))
            }
            _ => self.path.join(decisions::FILE),
        }
    }
}

/// How a sample gets its class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LabelRule {
    /// By what the folder looks like.
    #[default]
    Auto,
    /// The first folder below the data folder, or below the part's. Recipe: `"folder"`.
    Folder,
    /// The file's name. Recipe: `data.pattern = "{class}_{number}"`.
    Pattern(NamePattern),
    /// A column of a table. Recipe: `data.label_column`.
    Column,
}

/// A place for each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartOptions {
    /// What the network learns from.
    pub train: Option<PartSource>,
    /// What choices are made on; without it, it is cut from train.
    pub val: Option<PartSource>,
    /// What the chosen one is measured on; without it, see [`crate::split::split`].
    pub test: Option<PartSource>,
}

/// Where one part lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSource {
    /// A folder, relative to [`DataOptions::path`] or absolute.
    pub path: PathBuf,
    /// [`LabelRule::Auto`]: class folders, or, in a flat folder of val or test, names that begin with a class of
    /// train. [`LabelRule::Column`] is an error here: a table has a split column.
    pub label: LabelRule,
}

/// What is in a table. Columns are named as in its first line; what is `None` is found by itself or not used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// The table, relative to [`DataOptions::path`]; `None`: the path itself, or the one table in the folder.
    pub file: Option<PathBuf>,
    /// Where the pictures lie, relative to the table; `None`: beside and below it.
    pub folder: Option<PathBuf>,
    /// Column that names the file: a path, a file name, or an id without extension.
    pub path: Option<String>,
    /// What the column's text lacks to be a file's name, such as `.jpg`.
    pub suffix: String,
    /// Column of the class.
    pub label: Option<String>,
    /// Columns of which the one that is 1 is called as the class; empty: there is one column of classes.
    pub one_hot: Vec<String>,
    /// Column of what must stay on one side of the split, such as a patient.
    pub group: Option<String>,
    /// Column of `train`, `val` and `test`.
    pub split: Option<String>,
    /// Columns that are carried along.
    pub metadata: Vec<String>,
}
