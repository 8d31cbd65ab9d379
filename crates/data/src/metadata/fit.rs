//! From training rows to an encoder.

use std::collections::BTreeSet;

use super::{ColumnEncoder, MetadataEncoder, MetadataError, is_missing, number};
use crate::index::MetadataColumn;

impl MetadataEncoder {
    /// Of some rows of an index, the training part's. A column is one of numbers when every text of these rows that is there is a
    /// finite number and `categories` does not name it.
    ///
    /// # Errors
    /// No columns or too many, one without any value, one with too many levels.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn fit(columns: &[MetadataColumn], rows: &[u32], categories: &[String]) -> Result<Self, MetadataError> {
        match columns.len() {
            0 => return Err(MetadataError::NoColumns),
            columns if columns > Self::MOST_COLUMNS => return Err(MetadataError::TooManyColumns { columns }),
            _ => {}
        }
        let fit = |column: &MetadataColumn| fit(column, rows, categories.contains(&column.name));
        Ok(Self { columns: columns.iter().map(fit).collect::<Result<_, _>>()? })
    }
}

fn fit(of: &MetadataColumn, rows: &[u32], is_category: bool) -> Result<ColumnEncoder, MetadataError> {
    let column = of.name.clone();
    let texts = || rows.iter().map(|&row| of.values.get(row as usize).trim()).filter(|text| !is_missing(text));
    let there = texts().count();
    if there == 0 {
        return Err(MetadataError::AllMissing { column, rows: rows.len() });
    }
    let missing = there < rows.len();
    let numbers: Vec<f64> = texts().filter_map(number).collect();
    if numbers.len() == there && !is_category {
        let [mean, std] = mean_and_std(&numbers);
        return Ok(ColumnEncoder::Number { column, mean, std, missing });
    }
    let levels: BTreeSet<&str> = texts().collect();
    if levels.len() > MetadataEncoder::MOST_LEVELS {
        let no_number = texts().find(|text| number(text).is_none()).filter(|_| numbers.len() * 2 > there);
        let (levels, no_number) = (levels.len(), no_number.map(str::to_owned));
        return Err(MetadataError::TooManyLevels { column, levels, no_number });
    }
    Ok(ColumnEncoder::Category { column, levels: levels.into_iter().map(str::to_owned).collect(), missing })
}

/// Mean and standard deviation over n. What differs by no more than rounding has a deviation of 1: the rule of scikit-learn's
/// `_is_constant_feature`.
fn mean_and_std(numbers: &[f64]) -> [f64; 2] {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / n;
    let rounding = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
    if !mean.is_finite() || !variance.is_finite() {
        // Squares beyond what a double can hold: nobody's measurements, but nothing infinite may come of them.
        return [0.0, f64::MAX];
    }
    [mean, if variance <= rounding { 1.0 } else { variance.sqrt() }]
}
