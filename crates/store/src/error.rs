//! What can be wrong with a run folder.

use std::io;
use std::path::{Path, PathBuf};

use avizor_base::atomic_file;

/// Why something could not be stored or read back. Each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The path is no run folder.
    #[error("{} is not a run folder: it holds no run.json", .path.display())]
    NotARun {
        /// What was given.
        path: PathBuf,
    },
    /// The file is not there: the run has not come that far, or somebody removed it.
    #[error("{} is not there", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file system refused to read.
    #[error("{} cannot be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// The file system refused to write.
    #[error("{} cannot be written: {source}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// The content is no JSON of this kind: cut short, changed by hand, or of another version.
    #[error("{} is not what avizor writes there: {source}", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: serde_json::Error,
    },
    /// A table is no table of this kind.
    #[error("{}{}: {what}", .path.display(), Line(*.line))]
    Table {
        /// The file.
        path: PathBuf,
        /// Line, from 1, where known.
        line: Option<u64>,
        /// What is wrong there.
        what: String,
    },
    /// A tensor file is not what was written.
    #[error("{} holds no usable tensor: {what}", .path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Every number of the day is taken.
    #[error("{} has 9,999 runs of this name already", .path.display())]
    Full {
        /// The folder of runs.
        path: PathBuf,
    },
    /// A value cannot be stored as it is.
    #[error("{} cannot hold {what}", .path.display())]
    Unstorable {
        /// The file.
        path: PathBuf,
        /// The value, in words.
        what: String,
    },
}

impl StoreError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotARun { .. } => "give the folder of a run, such as runs/2026-11-22-photos-01",
            Self::Missing { .. } => "the run has not come that far: `avizor resume` goes on with it",
            Self::Read { .. } => "check who may read the file, and the disk",
            Self::Write { source, .. } => atomic_file::write_help(source.kind()),
            Self::Json { .. } | Self::Table { .. } | Self::Tensor { .. } => {
                "the file is damaged, changed by hand or of another version: bring the original back, or train again"
            }
            Self::Full { .. } => "move old runs elsewhere, or choose another folder with --runs",
            Self::Unstorable { .. } => "rename the picture, class or column that is named",
        }
    }

    /// Whether the file simply is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// `None` for a file that is not there; other failures stay failures. For files that a run may do without.
    ///
    /// # Errors
    /// Those of `result` but [`StoreError::Missing`].
    pub fn optional<T>(result: Result<T, Self>) -> Result<Option<T>, Self> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::NotFound { Self::Missing { path } } else { Self::Read { path, source } }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(crate) fn table(path: &Path, line: Option<u64>, what: impl Into<String>) -> Self {
        Self::Table { path: path.to_owned(), line, what: what.into() }
    }

    pub(crate) fn csv(path: &Path, error: csv::Error) -> Self {
        let line = error.position().map(csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => Self::read(path, source),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                Self::table(path, line, format!("the row has {len} cells, the header {expected_len}"))
            }
            csv::ErrorKind::Utf8 { .. } => Self::table(path, line, "the row is not UTF-8"),
            csv::ErrorKind::Deserialize { err, .. } => Self::table(path, line, err.to_string()),
            other => Self::table(path, line, format!("{other:?}")),
        }
    }
}

/// `:12`, or nothing.
struct Line(Option<u64>);

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}
