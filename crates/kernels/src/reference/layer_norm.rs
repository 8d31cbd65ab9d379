//! Layer normalisation by its definition.

use crate::layer_norm::LayerNormShape;

/// Every row by its own mean and variance.
pub fn layer_norm(shape: &LayerNormShape, x: &[f64], gamma: &[f64], beta: &[f64], eps: f64) -> Vec<f64> {
    let channels = shape.channels;
    normalized(shape, x, eps).enumerate().map(|(i, (n, _))| n * gamma[i % channels] + beta[i % channels]).collect()
}

/// The gradients of input, scale and shift.
pub fn layer_norm_backward(shape: &LayerNormShape, x: &[f64], dy: &[f64], gamma: &[f64], eps: f64) -> [Vec<f64>; 3] {
    let channels = shape.channels;
    let (normal, inv_std): (Vec<f64>, Vec<f64>) = normalized(shape, x, eps).unzip();
    let (mut dgamma, mut dbeta) = (vec![0.0; channels], vec![0.0; channels]);
    for (i, dy) in dy.iter().enumerate() {
        dgamma[i % channels] += dy * normal[i];
        dbeta[i % channels] += dy;
    }
    let scaled: Vec<f64> = dy.iter().enumerate().map(|(i, dy)| dy * gamma[i % channels]).collect();
    let mut dx = Vec::with_capacity(x.len());
    for row in 0..shape.rows {
        let here = row * channels..(row + 1) * channels;
        let mean = here.clone().map(|i| scaled[i]).sum::<f64>() / channels as f64;
        let slope = here.clone().map(|i| scaled[i] * normal[i]).sum::<f64>() / channels as f64;
        dx.extend(here.map(|i| inv_std[i] * (scaled[i] - mean - normal[i] * slope)));
    }
    [dx, dgamma, dbeta]
}

/// Every number normalised, with its row's `1 / sqrt(variance + eps)`.
fn normalized<'x>(shape: &LayerNormShape, x: &'x [f64], eps: f64) -> impl Iterator<Item = (f64, f64)> + 'x {
    let count = shape.channels as f64;
    x.chunks_exact(shape.channels.max(1)).flat_map(move |row| {
        let mean = row.iter().sum::<f64>() / count;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let inv_std = 1.0 / (variance + eps).sqrt();
        row.iter().map(move |x| ((x - mean) * inv_std, inv_std))
    })
}
