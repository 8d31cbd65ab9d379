//! Statistics and the normalised output.

use super::{AfterNorm, BatchNormShape, PerChannel, SavedNorm};
use crate::Cpu;
use crate::column_sums::{BLOCK, join, lanes};
use crate::parts::{PART, for_each_part};
use crate::per_level::per_level;
use crate::unary::{Activation, for_activation};

/// Rows, spread over the batch, whose mean is the pivot: one alone may be a corner of a picture, far from the rest.
const PIVOT_ROWS: usize = 16;

/// Rows that one task of inference has at least: it prepares the factors of its channels itself.
const LEAST_ROWS: usize = 64;
/// Channels whose factors are prepared at a time, on the stack.
const STRIP: usize = 1024;

/// Normalises with the batch's own statistics and moves the running ones towards them, in two passes over `x`.
///
/// As PyTorch: `y = (x - mean) / sqrt(var + eps) · gamma + beta` with the biased variance;
/// `running = (1 - momentum) · running + momentum · batch` with the unbiased one. With a single row, which PyTorch
/// refuses, the variance is zero. `saved` is what the backward pass needs.
///
/// # Panics
/// When a slice has another length than the shape says, or the workspace is shorter than
/// [`batch_norm_workspace`](super::batch_norm_workspace).
pub fn batch_norm_train(
    cpu: &Cpu,
    shape: BatchNormShape,
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    eps: f32,
    momentum: f32,
    running_mean: &mut [f32],
    running_var: &mut [f32],
    after: AfterNorm<'_>,
    y: &mut [f32],
    saved: SavedNorm<'_>,
    workspace: &mut [f32],
) {
    let BatchNormShape { rows, channels } = shape;
    let SavedNorm { mean: save_mean, inv_std: save_inv_std, offset } = saved;
    assert!(x.len() == shape.len() && y.len() == shape.len(), "x and y are {rows} × {channels}");
    assert!(after.residual.is_none_or(|residual| residual.len() == shape.len()), "a residual is {rows} × {channels}");
    for slice in [gamma, beta, running_mean, running_var, save_mean, save_inv_std, offset] {
        assert_eq!(slice.len(), channels, "one number a channel");
    }
    if shape.is_empty() {
        return;
    }
    let (per, workspace) = PerChannel::split(workspace, channels);
    let pivot = per.a;
    find_pivot(x, channels, pivot);
    let sums = shape.chunks().sum(cpu, 2 * channels, workspace, |rows, sums| {
        let (sum, square) = sums.split_at_mut(channels);
        moments_part(cpu, channels, &x[rows.start * channels..rows.end * channels], pivot, sum, square);
    });
    let n = rows as f64;
    let factor = per.b;
    for c in 0..channels {
        let shift = sums[c] / n;
        let mean = f64::from(pivot[c]) + shift;
        // Rounding may leave a constant channel a little below zero. Not `max`: that would hide a NaN.
        let squares = sums[channels + c] - shift * sums[c];
        let squares = if squares < 0.0 { 0.0 } else { squares };
        let inv_std = 1.0 / (squares / n + f64::from(eps)).sqrt();
        let unbiased = squares / (n - 1.0).max(1.0);
        let momentum = f64::from(momentum);
        running_mean[c] = ((1.0 - momentum) * f64::from(running_mean[c]) + momentum * mean) as f32;
        running_var[c] = ((1.0 - momentum) * f64::from(running_var[c]) + momentum * unbiased) as f32;
        save_mean[c] = mean as f32;
        save_inv_std[c] = inv_std as f32;
        factor[c] = factor_of(gamma[c], save_inv_std[c]);
        // Makes up for what the mean loses when it is rounded to f32.
        let lost = mean - f64::from(save_mean[c]);
        offset[c] = (f64::from(beta[c]) - lost * f64::from(factor[c])) as f32;
    }
    let normalize = for_activation!(after.activation, F => normalize_part::<F>);
    let normalize_add = for_activation!(after.activation, F => normalize_add_part::<F>);
    let part = PART.div_ceil(channels) * channels;
    for_each_part(cpu, part, [y], |range, [y]| match after.residual {
        None => normalize(cpu, &x[range], save_mean, factor, offset, y),
        Some(residual) => normalize_add(cpu, &x[range.clone()], &residual[range], save_mean, factor, offset, y),
    });
}

/// Normalises with running statistics, in one pass. The plan folds this into the convolution where it can.
///
/// # Panics
/// As [`batch_norm_train`].
pub fn batch_norm_infer(
    cpu: &Cpu,
    shape: BatchNormShape,
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    running_mean: &[f32],
    running_var: &[f32],
    eps: f32,
    y: &mut [f32],
) {
    let BatchNormShape { rows, channels } = shape;
    assert!(x.len() == shape.len() && y.len() == shape.len(), "x and y are {rows} × {channels}");
    for slice in [gamma, beta, running_mean, running_var] {
        assert_eq!(slice.len(), channels, "one number a channel");
    }
    if shape.is_empty() {
        return;
    }
    let part = PART.div_ceil(channels).max(LEAST_ROWS) * channels;
    for_each_part(cpu, part, [y], |range, [y]| {
        infer_part(cpu, &x[range], gamma, beta, running_mean, running_var, eps, y);
    });
}

/// What a channel is scaled by, here and on the way back.
pub(super) fn factor_of(gamma: f32, inv_std: f32) -> f32 {
    gamma * inv_std
}

/// A normalised number; the same bits here and on the way back.
#[inline(always)]
pub(super) fn normalized(x: f32, center: f32, factor: f32, offset: f32) -> f32 {
    (x - center) * factor + offset
}

/// The mean of some rows, for every channel.
fn find_pivot(x: &[f32], channels: usize, pivot: &mut [f32]) {
    let rows = x.len() / channels;
    let taken = rows.min(PIVOT_ROWS);
    pivot.fill(0.0);
    for sample in 0..taken {
        let row = sample * rows / taken;
        for (pivot, x) in pivot.iter_mut().zip(&x[row * channels..]) {
            *pivot += x / taken as f32;
        }
    }
}

per_level! {
    fn normalize_part[F: Activation](x: &[f32], center: &[f32], factor: &[f32], offset: &[f32], y: &mut [f32]) {
        let channels = center.len();
        let (factor, offset) = (&factor[..channels], &offset[..channels]);
        for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
            for c in 0..channels {
                y[c] = F::value(normalized(x[c], center[c], factor[c], offset[c]));
            }
        }
    }
}

per_level! {
    fn normalize_add_part[F: Activation](
        x: &[f32], residual: &[f32], center: &[f32], factor: &[f32], offset: &[f32], y: &mut [f32],
    ) {
        let channels = center.len();
        let (factor, offset) = (&factor[..channels], &offset[..channels]);
        let rows = x.chunks_exact(channels).zip(residual.chunks_exact(channels)).zip(y.chunks_exact_mut(channels));
        for ((x, residual), y) in rows {
            for c in 0..channels {
                y[c] = F::value(normalized(x[c], center[c], factor[c], offset[c]) + residual[c]);
            }
        }
    }
}

per_level! {
    fn infer_part(
        x: &[f32], gamma: &[f32], beta: &[f32], mean: &[f32], var: &[f32], eps: f32, y: &mut [f32],
    ) {
        let channels = mean.len();
        for first in (0..channels).step_by(STRIP) {
            let strip = first..(first + STRIP).min(channels);
            let width = strip.len();
            let (mean, mut factors) = (&mean[strip.clone()], [0.0; STRIP]);
            let beta = &beta[strip.clone()];
            for ((factor, var), gamma) in factors.iter_mut().zip(&var[strip.clone()]).zip(&gamma[strip.clone()]) {
                *factor = gamma / (var + eps).sqrt();
            }
            let factors = &factors[..width];
            for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
                let (x, y) = (&x[strip.clone()], &mut y[strip.clone()]);
                for c in 0..width {
                    y[c] = (x[c] - mean[c]) * factors[c] + beta[c];
                }
            }
        }
    }
}

per_level! {
    /// Adds `Σ x - pivot` and `Σ (x - pivot)²` of every channel.
    fn moments_part(channels: usize, x: &[f32], pivot: &[f32], sum: &mut [f64], square: &mut [f64]) {
        for block in x.chunks(BLOCK * channels) {
            let mut channel = 0;
            while channel + 32 <= channels {
                moments_strip::<32>(block, channels, channel, pivot, sum, square);
                channel += 32;
            }
            while channel + 8 <= channels {
                moments_strip::<8>(block, channels, channel, pivot, sum, square);
                channel += 8;
            }
            while channel < channels {
                moments_strip::<1>(block, channels, channel, pivot, sum, square);
                channel += 1;
            }
        }
    }
}

#[inline(always)]
fn moments_strip<const L: usize>(
    block: &[f32],
    channels: usize,
    channel: usize,
    pivot: &[f32],
    sum: &mut [f64],
    square: &mut [f64],
) {
    let pivot: [f32; L] = lanes(pivot, channel);
    let (mut sums, mut squares) = ([0.0; L], [0.0; L]);
    for row in block.chunks_exact(channels) {
        let x: [f32; L] = lanes(row, channel);
        for lane in 0..L {
            let d = x[lane] - pivot[lane];
            sums[lane] += d;
            squares[lane] += d * d;
        }
    }
    join(&mut sum[channel..], &sums);
    join(&mut square[channel..], &squares);
}
