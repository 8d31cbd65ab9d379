//! Numbers that need every class's score: cross-entropy and top-k accuracy.

use crate::error::{LabelError, check_length, check_range};

/// How far a row's sum may be from 1, and a probability beyond 1: rounding of f32, and of text with few digits.
const ROUNDING: f64 = 1e-3;

/// Mean cross-entropy of the true class, in nats: scikit-learn's `log_loss` on the values as f64.
///
/// `probabilities` is row-major, samples × classes. They are clipped to 2⁻⁵² and 1 − 2⁻⁵², so a certain mistake costs
/// 36.04 and not infinity.
///
/// # Errors
/// No sample, unequal lengths, a class out of range, a row that is no distribution (named).
pub fn log_loss(truth: &[u32], probabilities: &[f32], classes: usize) -> Result<f64, LabelError> {
    let losses = sample_losses(truth, probabilities, classes)?;
    Ok(losses.iter().sum::<f64>() / losses.len() as f64)
}

/// Share of samples whose true class is among the `k` best scored: scikit-learn's `top_k_accuracy_score`.
///
/// `scores` is row-major, samples × classes: logits or probabilities, any order-preserving scale. Of equal scores the
/// class of the higher index ranks first, as in scikit-learn's stable sort read from its end. With `k` at or above the
/// number of classes the result is 1.
///
/// # Errors
/// No sample, unequal lengths, a class out of range, a score that is not a number (row named), `k` of 0.
pub fn top_k_accuracy(truth: &[u32], scores: &[f32], classes: usize, k: usize) -> Result<f64, LabelError> {
    if k == 0 {
        return Err(LabelError::TopZero);
    }
    check_rows("scores", truth, scores, classes)?;
    if let Some(place) = scores.iter().position(|score| score.is_nan()) {
        return Err(LabelError::NotANumber { row: place / classes, class: place % classes });
    }
    let hits = ranks(truth, scores, classes).filter(|&rank| rank < k).count();
    Ok(hits as f64 / truth.len() as f64)
}

/// The place of each sample's true class among its scores, from 0. Rows must have been checked.
pub(crate) fn ranks(truth: &[u32], scores: &[f32], classes: usize) -> impl Iterator<Item = usize> {
    truth.iter().zip(scores.chunks_exact(classes)).map(|(&class, row)| {
        let (before, from) = row.split_at(class as usize);
        let own = from[0];
        before.iter().filter(|&&score| score > own).count() + from[1..].iter().filter(|&&score| score >= own).count()
    })
}

/// Cross-entropy of each sample, in nats.
pub(crate) fn sample_losses(truth: &[u32], probabilities: &[f32], classes: usize) -> Result<Vec<f64>, LabelError> {
    check_rows("probabilities", truth, probabilities, classes)?;
    for (row, values) in probabilities.chunks_exact(classes).enumerate() {
        check_distribution(row, values)?;
    }
    let own = truth.iter().zip(probabilities.chunks_exact(classes)).map(|(&class, row)| f64::from(row[class as usize]));
    Ok(own.map(|p| -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()).collect())
}

fn check_rows(column: &'static str, truth: &[u32], values: &[f32], classes: usize) -> Result<(), LabelError> {
    if truth.is_empty() {
        return Err(LabelError::Empty);
    }
    check_range("truth", truth, classes)?;
    check_length(column, values.len(), truth.len().saturating_mul(classes))
}

fn check_distribution(row: usize, values: &[f32]) -> Result<(), LabelError> {
    if let Some(class) = values.iter().position(|value| value.is_nan()) {
        return Err(LabelError::NotANumber { row, class });
    }
    let allowed = 0.0..=1.0 + ROUNDING;
    if let Some(class) = values.iter().position(|&value| !allowed.contains(&f64::from(value))) {
        return Err(LabelError::NotAProbability { row, class, value: values[class] });
    }
    let sum: f64 = values.iter().copied().map(f64::from).sum();
    if (sum - 1.0).abs() > ROUNDING { Err(LabelError::Sum { row, sum }) } else { Ok(()) }
}
