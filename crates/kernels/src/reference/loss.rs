//! Softmax and cross entropy by their definitions.

use crate::loss::CrossEntropyShape;

/// `e^x / Σ e^x` along every row.
pub fn softmax(classes: usize, logits: &[f64]) -> Vec<f64> {
    log_softmax(classes, logits).into_iter().map(f64::exp).collect()
}

/// The mean loss, and its gradient. Label -1: the row does not count.
pub fn cross_entropy(
    shape: &CrossEntropyShape,
    logits: &[f64],
    labels: &[i32],
    class_weights: Option<&[f64]>,
    smoothing: f64,
) -> (f64, Vec<f64>) {
    let classes = shape.classes;
    let weight = |c: usize| class_weights.map_or(1.0, |weights| weights[c]);
    let label = |row: usize| usize::try_from(labels[row]).ok();
    let total: f64 = (0..shape.rows).filter_map(label).map(weight).sum();
    let log = log_softmax(classes, logits);
    let (mut loss, mut gradient) = (0.0, vec![0.0; logits.len()]);
    for row in 0..shape.rows {
        let Some(label) = label(row).filter(|_| total != 0.0) else { continue };
        let q = |c: usize| {
            let sharp = if c == label { (1.0 - smoothing) * weight(c) } else { 0.0 };
            (sharp + smoothing / classes as f64 * weight(c)) / total
        };
        let all: f64 = (0..classes).map(q).sum();
        for c in 0..classes {
            loss -= q(c) * log[row * classes + c];
            gradient[row * classes + c] = all * log[row * classes + c].exp() - q(c);
        }
    }
    (loss, gradient)
}

fn log_softmax(classes: usize, logits: &[f64]) -> Vec<f64> {
    let mut log = logits.to_vec();
    for row in log.chunks_mut(classes.max(1)) {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|x| (x - largest).exp()).sum();
        row.iter_mut().for_each(|x| *x -= largest + sum.ln());
    }
    log
}
