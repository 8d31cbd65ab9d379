//! Why columns cannot become numbers.

use super::MetadataEncoder;

/// Why no encoder could be fitted. Each is one sentence; [`help`](Self::help) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// No column at all: pictures without a table, or none was named.
    #[error("there are no columns of metadata")]
    NoColumns,
    /// More than are taken.
    #[error("{columns} columns of metadata are more than {}", MetadataEncoder::MOST_COLUMNS)]
    TooManyColumns {
        /// How many there are.
        columns: usize,
    },
    /// A column that says nothing.
    #[error("the column \"{column}\" is empty in all {rows} training rows")]
    AllMissing {
        /// Its name.
        column: String,
        /// Training rows.
        rows: usize,
    },
    /// Texts that are nearly as many as rows.
    #[error(
        "the column \"{column}\" has {levels} different texts in the training rows, and at most {} can be categories{}",
        MetadataEncoder::MOST_LEVELS,
        no_number.as_ref().map_or(String::new(), |text| format!("; it is no column of numbers because of \"{text}\""))
    )]
    TooManyLevels {
        /// Its name.
        column: String,
        /// How many it has.
        levels: usize,
        /// Where most texts are numbers, one that is not.
        no_number: Option<String>,
    },
}

impl MetadataError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoColumns => "give a table of the pictures and name columns in data.metadata",
            Self::TooManyColumns { .. } => "name fewer in data.metadata",
            Self::AllMissing { .. } => "leave the column out of data.metadata",
            Self::TooManyLevels { no_number: Some(_), .. } => "mend these texts in the table, or leave the column out",
            Self::TooManyLevels { no_number: None, .. } => {
                "leave the column out of data.metadata, or put rare texts together in the table"
            }
        }
    }
}
