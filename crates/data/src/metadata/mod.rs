//! What a table says of pictures beside their classes, as numbers for a network.
//!
//! An encoder is fitted on the training rows alone and travels with the model. A column whose texts are all numbers is
//! standardised by mean and standard deviation (scikit-learn's `StandardScaler`); any other becomes a 0 or 1 for each of its
//! levels, the distinct texts (`OneHotEncoder` with `handle_unknown="ignore"`).

mod error;
mod fit;
mod gaps;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use error::MetadataError;
pub use gaps::{ColumnGaps, Gaps};

/// Texts that say that nothing is known: what pandas reads so.
const MISSING: [&str; 14] =
    ["", "#N/A", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "na", "nan", "none", "null", "-nan"];

/// How far from the mean a number may lie, in standard deviations; beyond, it counts as lying there. Of n training rows none lies
/// further than √n, so only a slip in a later table is cut.
const FARTHEST: f64 = 1e4;

/// How the columns of a table become numbers.
///
/// ```
/// use avizor_data::metadata::{Gaps, MetadataEncoder};
///
/// let text = r#"[
///     { "kind": "number", "column": "age", "mean": 50.0, "std": 10.0, "missing": true },
///     { "kind": "category", "column": "sex", "levels": ["female", "male"], "missing": false }
/// ]"#;
/// let encoder: MetadataEncoder = serde_json::from_str(text)?;
/// let (mut numbers, mut gaps) = (Vec::new(), Gaps::new(&encoder));
/// encoder.encode(["65", "male"], &mut numbers, &mut gaps);
/// encoder.encode(["", "unsaid"], &mut numbers, &mut gaps);
/// assert_eq!(numbers, [1.5, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
/// assert_eq!(gaps.to_string(), "\"age\" is missing in 1 of 2 rows; \"sex\" is \"unsaid\" in 1 of 2 rows, which no training row was");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<ColumnEncoder>", into = "Vec<ColumnEncoder>")]
pub struct MetadataEncoder {
    /// At least one; their numbers are finite, their levels sorted and bounded.
    columns: Vec<ColumnEncoder>,
}

/// How a column becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum ColumnEncoder {
    /// One number, and with `missing` a second one.
    Number {
        /// As in the table's first line.
        column: String,
        /// Of the training rows.
        mean: f64,
        /// Of the training rows, over n; 1 where they are all alike.
        std: f64,
        /// Whether training rows lack it: then a second number is 1 where it is missing.
        missing: bool,
    },
    /// A number a level, and with `missing` one more.
    Category {
        /// As in the table's first line.
        column: String,
        /// The texts of the training rows, sorted by bytes.
        levels: Vec<String>,
        /// Whether training rows lack it: then a last number is 1 for what is missing or no level.
        missing: bool,
    },
}

impl ColumnEncoder {
    /// The column's name.
    pub fn column(&self) -> &str {
        match self {
            Self::Number { column, .. } | Self::Category { column, .. } => column,
        }
    }

    /// How many numbers it becomes.
    pub fn width(&self) -> usize {
        match self {
            Self::Number { missing, .. } => 1 + usize::from(*missing),
            Self::Category { levels, missing, .. } => levels.len() + usize::from(*missing),
        }
    }

    fn encode(&self, text: &str, into: &mut Vec<f32>, gaps: &mut ColumnGaps) {
        let text = text.trim();
        let known = match self {
            Self::Number { mean, std, .. } => {
                let number = number(text);
                let standardised = number.map_or(0.0, |number| ((number - mean) / std).clamp(-FARTHEST, FARTHEST));
                into.push(standardised as f32);
                number.is_some()
            }
            Self::Category { levels, .. } => {
                let level = levels.binary_search_by(|level| level.as_str().cmp(text)).ok();
                into.extend((0..levels.len()).map(|at| f32::from(u8::from(Some(at) == level))));
                level.is_some()
            }
        };
        let (Self::Number { missing, .. } | Self::Category { missing, .. }) = self;
        if *missing {
            into.push(f32::from(u8::from(!known)));
        }
        if !known {
            gaps.add(text, is_missing(text));
        }
    }

    /// What is wrong with one that was read from a file.
    fn problem(&self) -> Option<String> {
        let column = self.column();
        match self {
            Self::Number { mean, std, .. } if !mean.is_finite() || !std.is_finite() || *std <= 0.0 => {
                Some(format!("the mean {mean} and the standard deviation {std} of \"{column}\" standardise nothing"))
            }
            Self::Category { levels, .. } if levels.is_empty() || levels.len() > MetadataEncoder::MOST_LEVELS => {
                Some(format!("\"{column}\" has {} levels, not 1 to {}", levels.len(), MetadataEncoder::MOST_LEVELS))
            }
            Self::Category { levels, .. } if !levels.is_sorted_by(|a, b| a < b) => {
                Some(format!("the levels of \"{column}\" are not sorted, or one stands twice"))
            }
            _ => None,
        }
    }
}

impl MetadataEncoder {
    /// Levels that a column may have. More are names of things, not properties that many pictures share.
    pub const MOST_LEVELS: usize = 256;
    /// Columns that may be encoded.
    pub const MOST_COLUMNS: usize = 256;

    /// How each column is encoded, in the order of the numbers.
    pub fn columns(&self) -> &[ColumnEncoder] {
        &self.columns
    }

    /// Numbers a row; at least one.
    pub fn width(&self) -> usize {
        self.columns.iter().map(ColumnEncoder::width).sum()
    }

    /// Appends the numbers of a row, whose texts come in the order of the columns; one that is not there is missing. What could
    /// not be taken as it is, is counted.
    pub fn encode<'v>(&self, texts: impl IntoIterator<Item = &'v str>, into: &mut Vec<f32>, gaps: &mut Gaps) {
        let mut texts = texts.into_iter();
        gaps.rows += 1;
        for (column, gaps) in self.columns.iter().zip(&mut gaps.columns) {
            column.encode(texts.next().unwrap_or(""), into, gaps);
        }
    }
}

impl TryFrom<Vec<ColumnEncoder>> for MetadataEncoder {
    type Error = String;

    fn try_from(columns: Vec<ColumnEncoder>) -> Result<Self, String> {
        if columns.is_empty() || columns.len() > Self::MOST_COLUMNS {
            return Err(format!("{} columns of metadata are not 1 to {}", columns.len(), Self::MOST_COLUMNS));
        }
        match columns.iter().find_map(ColumnEncoder::problem) {
            Some(problem) => Err(problem),
            None => Ok(Self { columns }),
        }
    }
}

impl From<MetadataEncoder> for Vec<ColumnEncoder> {
    fn from(encoder: MetadataEncoder) -> Self {
        encoder.columns
    }
}

/// A finite number, as Rust and Python write them.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn is_missing(text: &str) -> bool {
    MISSING.contains(&text)
}
