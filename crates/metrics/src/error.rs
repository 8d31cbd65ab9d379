//! What can be wrong with labels and scores.

/// Why labels and scores cannot be turned into numbers. Rows count from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// No sample at all.
    #[error("there is no sample to evaluate")]
    Empty,
    /// Two columns of different lengths.
    #[error("{column} holds {got} values where {expected} are needed")]
    Length {
        /// Which column: `prediction`, `probabilities`, `scores`, `groups`.
        column: &'static str,
        /// Values it has.
        got: usize,
        /// Values it should have.
        expected: usize,
    },
    /// A class beyond the last one.
    #[error("row {row}: {column} is class {class}, but there are only {classes} classes")]
    OutOfRange {
        /// `truth` or `prediction`.
        column: &'static str,
        /// The row.
        row: usize,
        /// The class it names.
        class: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// A score that is not a number.
    #[error("row {row}: the score of class {class} is not a number")]
    NotANumber {
        /// The row.
        row: usize,
        /// The class.
        class: usize,
    },
    /// A probability outside 0 to 1.
    #[error("row {row}: the probability of class {class} is {value}, outside 0 to 1")]
    NotAProbability {
        /// The row.
        row: usize,
        /// The class.
        class: usize,
        /// The value.
        value: f32,
    },
    /// Probabilities that do not sum to one: logits or independent scores, most likely.
    #[error("row {row}: the probabilities sum to {sum}, not to 1")]
    Sum {
        /// The row.
        row: usize,
        /// Their sum.
        sum: f64,
    },
    /// The top 0.
    #[error("the top 0 classes hold nothing: top-k accuracy needs k of at least 1")]
    TopZero,
}

/// Checks that every entry of `column` is one of `classes`.
pub(crate) fn check_range(column: &'static str, labels: &[u32], classes: usize) -> Result<(), LabelError> {
    match labels.iter().position(|&class| class as usize >= classes) {
        Some(row) => Err(LabelError::OutOfRange { column, row, class: labels[row], classes }),
        None => Ok(()),
    }
}

/// Checks that `column` has `expected` values.
pub(crate) fn check_length(column: &'static str, got: usize, expected: usize) -> Result<(), LabelError> {
    if got == expected { Ok(()) } else { Err(LabelError::Length { column, got, expected }) }
}
