//! Why a report was not drawn.

use std::path::PathBuf;

/// Why a report was not drawn. Each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Something of the run cannot be read.
    #[error(transparent)]
    Store(#[from] avizor_store::StoreError),
    /// A part of the report cannot be written.
    #[error("{} cannot be written: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The file system's reason.
        source: std::io::Error,
    },
    /// The page's template failed: a mistake of ours.
    #[error("the page cannot be filled in: {0}")]
    Template(#[from] askama::Error),
}

impl ReportError {
    /// What to do about it, where anything can be done.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => Some(error.help()),
            Self::Write { source, .. } => Some(avizor_base::atomic_file::write_help(source.kind())),
            Self::Template(_) => None,
        }
    }
}
