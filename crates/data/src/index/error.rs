//! Why there is no index, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use avizor_base::{ClassListError, Split};

/// Why no index could be made. Each is one sentence; [`IndexError::help`] says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Nothing of that name.
    #[error("{} does not exist", path.display())]
    Missing {
        /// What was asked for.
        path: PathBuf,
    },
    /// A file where a folder or table was needed.
    #[error("{} is neither a folder nor a table (CSV, TSV, JSON lines) nor a zip, tar or Parquet file", path.display())]
    NoFolder {
        /// What was asked for.
        path: PathBuf,
    },
    /// The file system says no.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
    /// What was decided about the pictures cannot be followed.
    #[error(transparent)]
    Decisions(#[from] super::decisions::DecisionsError),
    /// An archive that cannot be read.
    #[error(transparent)]
    Archive(#[from] crate::archive::ArchiveError),
    /// A Parquet file that cannot be read.
    #[error(transparent)]
    Parquet(#[from] crate::parquet::ParquetError),
    /// A pattern where nothing has a name.
    #[error("the pictures of {} are rows of a Parquet file and have no names that tell their classes", path.display())]
    NotFromNames {
        /// What was asked for.
        path: PathBuf,
    },
    /// Archives without a sample.
    #[error("{} holds {archives} archives and no picture; in none of them is a picture with its class beside it (`0001.jpg`, `0001.cls`)", path.display())]
    NoShards {
        /// The folder.
        path: PathBuf,
        /// How many.
        archives: usize,
    },
    /// A folder with nothing in it.
    #[error("{} is empty", path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder without pictures.
    #[error("{} holds no picture; ignored: {ignored}", path.display())]
    NoPictures {
        /// The folder.
        path: PathBuf,
        /// What lies there instead.
        ignored: String,
    },
    /// Pictures, but nothing that tells their class.
    #[error("{} holds {pictures} pictures and nothing that tells their classes", path.display())]
    NoLabels {
        /// The folder.
        path: PathBuf,
        /// How many there are.
        pictures: usize,
    },
    /// Nothing to tell apart.
    #[error("all {pictures} pictures of {} belong to one class, \"{class}\"", path.display())]
    OneClass {
        /// The data folder.
        path: PathBuf,
        /// The only class.
        class: String,
        /// How many pictures it has.
        pictures: usize,
    },
    /// Folders or options for val or test, none for train.
    #[error("{} has a part for {} and none for train", path.display(), part.name())]
    NoTrain {
        /// The data folder.
        path: PathBuf,
        /// The part that is there.
        part: Split,
    },
    /// A part without a picture.
    #[error("the {} part of {} holds no picture", part.name(), path.display())]
    EmptyPart {
        /// The data folder.
        path: PathBuf,
        /// The part.
        part: Split,
    },
    /// A class that the network cannot learn.
    #[error("class \"{class}\" is in {} ({pictures} pictures) but not in train", part.name())]
    OnlyInPart {
        /// The class.
        class: String,
        /// Where it is.
        part: Split,
        /// How often.
        pictures: usize,
    },
    /// A class that a model does not know.
    #[error("class \"{class}\" ({pictures} pictures) is none of the model's classes")]
    NotOfModel {
        /// The class.
        class: String,
        /// How often.
        pictures: usize,
        /// The most similar class of the model.
        nearest: Option<String>,
    },
    /// An option names a class that does not exist.
    #[error("`{option}` names the class \"{class}\", which no picture has")]
    UnknownClass {
        /// `data.classes` or `data.rename`.
        option: &'static str,
        /// What it names.
        class: String,
        /// The most similar class that exists.
        nearest: Option<String>,
    },
    /// A pattern that fits no file.
    #[error("no file name in {} fits the pattern \"{pattern}\"; the first is {example}", path.display())]
    PatternFitsNothing {
        /// The folder.
        path: PathBuf,
        /// The pattern.
        pattern: String,
        /// A name.
        example: String,
    },
    /// A share that is none.
    #[error("`data.fraction` is {fraction}, which is not above 0 and at most 1")]
    Fraction {
        /// What was given.
        fraction: f64,
    },
    /// A part that asks for a column.
    #[error("the {} part asks for labels from a column, and a part is a folder", part.name())]
    ColumnInPart {
        /// The part.
        part: Split,
    },
    /// A table that cannot be read as one.
    #[error("{}{}: {reason}", table.display(), line.map_or(String::new(), |line| format!(":{line}")))]
    Table {
        /// The table.
        table: PathBuf,
        /// Line, from 1.
        line: Option<u64>,
        /// What is wrong.
        reason: String,
    },
    /// A column that is not there.
    #[error("{} has no column \"{column}\"", table.display())]
    UnknownColumn {
        /// The table.
        table: PathBuf,
        /// What was asked for.
        column: String,
        /// The most similar column.
        nearest: Option<String>,
        /// All columns.
        columns: Vec<String>,
    },
    /// No column looks like the class.
    #[error("no column of {} is known to be the class", table.display())]
    NoLabelColumn {
        /// The table.
        table: PathBuf,
        /// All columns.
        columns: Vec<String>,
    },
    /// No column leads to files.
    #[error("no column of {} leads to pictures in {}", table.display(), folder.display())]
    NoPathColumn {
        /// The table.
        table: PathBuf,
        /// Where the pictures were looked for.
        folder: PathBuf,
    },
    /// No row leads to a file.
    #[error("none of the {rows} rows of {} leads to a picture in {}; the first is \"{example}\"", table.display(), folder.display())]
    NoRowFits {
        /// The table.
        table: PathBuf,
        /// Where the pictures were looked for.
        folder: PathBuf,
        /// How many rows there are.
        rows: usize,
        /// What the first row says.
        example: String,
    },
    /// A table without a row for any of some pictures.
    #[error("no column of {} names one of the pictures, such as {example}", table.display())]
    NoRowOf {
        /// The table.
        table: PathBuf,
        /// The first picture.
        example: String,
    },
    /// Several tables that would do.
    #[error("{} holds several tables that could be the labels: {}", path.display(), tables.join(", "))]
    SeveralTables {
        /// The folder.
        path: PathBuf,
        /// Their names.
        tables: Vec<String>,
    },
    /// More classes than a class list holds, or the like.
    #[error(transparent)]
    Classes(#[from] ClassListError),
}

impl IndexError {
    pub(super) fn at(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path: path.to_owned() },
            _ => Self::Unreadable { path: path.to_owned(), source },
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        let nearest_name = |nearest: &Option<String>, otherwise: &str| match nearest {
            Some(name) => format!("the nearest name is \"{name}\""),
            None => otherwise.to_owned(),
        };
        match self {
            Self::Missing { .. } => "check the path; it is taken from where the program was started".into(),
            Self::NoFolder { .. } => "give the folder that holds the class folders, or the table of labels".into(),
            Self::Archive(_) => "give a zip file, or a tar file that is not compressed as a whole; or unpack it".into(),
            Self::Parquet(error) => error.help(),
            Self::NotFromNames { .. } => "leave `data.pattern` out, and set `data.label_column`".into(),
            Self::NoShards { .. } => "give one archive of class folders as `data.path`, or unpack them".into(),
            Self::Decisions(_) => "`avizor decide PATH list` shows what was decided".into(),
            Self::Unreadable { .. } => "check the permissions".into(),
            Self::EmptyFolder { .. } | Self::NoPictures { .. } | Self::EmptyPart { .. } => {
                "put the pictures there, one folder for each class".into()
            }
            Self::NoLabels { .. } => {
                "put each class in a folder of its own, or set `data.pattern` or `data.table`".into()
            }
            Self::OneClass { .. } => "a classifier needs at least two classes: add a folder for another one".into(),
            Self::NoTrain { .. } => "add the part for train, or name it in `data.train`".into(),
            Self::OnlyInPart { .. } => {
                "add training pictures of it, or list the classes to use in `data.classes`".into()
            }
            Self::NotOfModel { nearest, .. } => nearest_name(nearest, "evaluate on the classes that the model knows"),
            Self::UnknownClass { nearest, .. } => nearest_name(nearest, "`avizor audit` lists the classes"),
            Self::PatternFitsNothing { .. } => {
                "a pattern fits the whole name without its extension, as {class}_{number} fits cat_12.jpg".into()
            }
            Self::Fraction { .. } => "give a share such as 0.1".into(),
            Self::ColumnInPart { .. } => {
                "give the table as `data.path` and name its column of parts in `data.split_column`".into()
            }
            Self::Table { .. } => "save it as UTF-8 with one line of column names".into(),
            Self::UnknownColumn { nearest, columns, .. } => {
                nearest_name(nearest, &format!("the columns are {}", columns.join(", ")))
            }
            Self::NoLabelColumn { columns, .. } => {
                format!("set `data.label_column` to one of {}", columns.join(", "))
            }
            Self::NoPathColumn { .. } => "set `data.file_column`, and `data.pictures` or `data.suffix`".into(),
            Self::NoRowFits { .. } => "check `data.file_column`, `data.pictures` and `data.suffix`".into(),
            Self::NoRowOf { .. } => {
                "let one column hold the pictures' paths, file names, or file names without extension".into()
            }
            Self::SeveralTables { .. } => "give one of them as `data.path`".into(),
            Self::Classes(_) => "use fewer classes with `data.classes` or `data.rename`".into(),
        }
    }
}
