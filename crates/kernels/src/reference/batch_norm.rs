//! Batch normalisation by its definition.

use crate::batch_norm::BatchNormShape;

/// What [`batch_norm_train`] gives.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormTrained {
    /// Normalised.
    pub y: Vec<f64>,
    /// Mean of every channel.
    pub mean: Vec<f64>,
    /// `1 / sqrt(biased variance + eps)`.
    pub inv_std: Vec<f64>,
    /// The shift; in f32 also what the mean lost in rounding.
    pub offset: Vec<f64>,
    /// Moved towards the mean.
    pub running_mean: Vec<f64>,
    /// Moved towards the unbiased variance.
    pub running_var: Vec<f64>,
}

/// Gradients of the input, the scale and the shift.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormGradients {
    /// Of the input.
    pub dx: Vec<f64>,
    /// Of the scale.
    pub dgamma: Vec<f64>,
    /// Of the shift.
    pub dbeta: Vec<f64>,
}

/// With the statistics of the batch.
pub fn batch_norm_train(
    shape: &BatchNormShape,
    x: &[f64],
    gamma: &[f64],
    beta: &[f64],
    eps: f64,
    momentum: f64,
    running_mean: &[f64],
    running_var: &[f64],
) -> BatchNormTrained {
    let n = shape.rows as f64;
    let mean = per_channel(shape, |c| column(shape, x, c).sum::<f64>() / n);
    let squares = per_channel(shape, |c| column(shape, x, c).map(|x| (x - mean[c]).powi(2)).sum());
    let moved = |running: f64, batch: f64| (1.0 - momentum) * running + momentum * batch;
    let inv_std = per_channel(shape, |c| 1.0 / (squares[c] / n + eps).sqrt());
    BatchNormTrained {
        y: per_word(shape, |i, c| (x[i] - mean[c]) * inv_std[c] * gamma[c] + beta[c]),
        running_mean: per_channel(shape, |c| moved(running_mean[c], mean[c])),
        running_var: per_channel(shape, |c| moved(running_var[c], squares[c] / (n - 1.0).max(1.0))),
        mean,
        inv_std,
        offset: beta.to_vec(),
    }
}

/// With running statistics.
pub fn batch_norm_infer(
    shape: &BatchNormShape,
    x: &[f64],
    gamma: &[f64],
    beta: &[f64],
    running_mean: &[f64],
    running_var: &[f64],
    eps: f64,
) -> Vec<f64> {
    per_word(shape, |i, c| (x[i] - running_mean[c]) / (running_var[c] + eps).sqrt() * gamma[c] + beta[c])
}

/// Gradients through [`batch_norm_train`], whose statistics depend on the input.
pub fn batch_norm_backward(
    shape: &BatchNormShape,
    x: &[f64],
    dy: &[f64],
    gamma: &[f64],
    mean: &[f64],
    inv_std: &[f64],
) -> BatchNormGradients {
    let n = shape.rows as f64;
    let normal = per_word(shape, |i, c| (x[i] - mean[c]) * inv_std[c]);
    let dbeta = per_channel(shape, |c| column(shape, dy, c).sum());
    let dgamma =
        per_channel(shape, |c| column(shape, dy, c).zip(column(shape, &normal, c)).map(|(dy, x)| dy * x).sum());
    let dx = per_word(shape, |i, c| gamma[c] * inv_std[c] * (dy[i] - dbeta[c] / n - normal[i] * dgamma[c] / n));
    BatchNormGradients { dx, dgamma, dbeta }
}

/// Gradients through [`batch_norm_infer`], whose statistics are constants.
pub fn batch_norm_infer_backward(
    shape: &BatchNormShape,
    x: &[f64],
    dy: &[f64],
    gamma: &[f64],
    running_mean: &[f64],
    running_var: &[f64],
    eps: f64,
) -> BatchNormGradients {
    let inv_std = per_channel(shape, |c| 1.0 / (running_var[c] + eps).sqrt());
    let normal = per_word(shape, |i, c| (x[i] - running_mean[c]) * inv_std[c]);
    BatchNormGradients {
        dx: per_word(shape, |i, c| dy[i] * gamma[c] * inv_std[c]),
        dgamma: per_channel(shape, |c| column(shape, dy, c).zip(column(shape, &normal, c)).map(|(dy, x)| dy * x).sum()),
        dbeta: per_channel(shape, |c| column(shape, dy, c).sum()),
    }
}

fn per_channel(shape: &BatchNormShape, each: impl Fn(usize) -> f64) -> Vec<f64> {
    (0..shape.channels).map(each).collect()
}

fn per_word(shape: &BatchNormShape, each: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..shape.len()).map(|i| each(i, i % shape.channels)).collect()
}

fn column<'x>(shape: &BatchNormShape, x: &'x [f64], c: usize) -> impl Iterator<Item = f64> + 'x {
    x.iter().skip(c).step_by(shape.channels).copied()
}
