//! Pictures in the rows of a Parquet file, as data sets of the Hugging Face hub come.
//!
//! A file is opened by its footer, which says what columns there are and where their row groups lie; labels and other
//! texts are read once, row group by row group, and a picture when it is asked for. What can be read alone in such a file is
//! a page, which holds many pictures: pages that were read last are kept ([`PageCache`]), so that rows in order cost each
//! page once, and a row at random costs its page.
//!
//! The library is believed nothing that it takes memory by: see `checked` and `thrift`.

mod cache;
mod checked;
mod columns;
mod file;
#[cfg(test)]
mod tests;
mod thrift;

use std::path::PathBuf;

pub use cache::PageCache;
pub use file::ParquetFile;

/// How a file becomes one that is read, and read well.
const ANEW: &str = "`pq.write_table(pq.read_table(\"old.parquet\"), \"new.parquet\", row_group_size=100)`";

/// The ending of such a file's name.
pub const EXTENSION: &str = "parquet";

/// Why a Parquet file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParquetError {
    /// Its bytes make no sense, or are more than is read.
    #[error("{} cannot be read: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Packed by a method that is not unpacked here.
    #[error("the pictures of {} are packed with {codec}, which this program was built without", path.display())]
    Codec {
        /// The file.
        path: PathBuf,
        /// The method.
        codec: String,
    },
    /// A column of pictures that is none, or of none it is clear that it is the one.
    #[error("{} {problem}", path.display())]
    Pictures {
        /// The file.
        path: PathBuf,
        /// What is wrong, to follow the file's name.
        problem: String,
        /// The columns that could be meant.
        columns: Vec<String>,
    },
}

impl ParquetError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Damaged { .. } => format!("write it anew, with pyarrow as {ANEW}"),
            Self::Codec { codec, .. } if codec == "zstd" => {
                format!("build it with `--features zstd`, or write the file anew, with pyarrow as {ANEW}")
            }
            Self::Codec { .. } => format!("write the file anew, with pyarrow as {ANEW}"),
            Self::Pictures { columns, .. } if columns.is_empty() => {
                "a column of pictures is binary, or a struct with a binary field `bytes`".into()
            }
            Self::Pictures { columns, .. } => format!("set `data.file_column` to one of {}", columns.join(", ")),
        }
    }
}
