//! Statistics and the normalised output.

use super::channelwise::{Channels, Layout, MapRows, Normalize, NormalizeAdd, map_rows};
use super::moments::{MOMENTS, batch_norm_moments};
use super::{AfterNorm, BatchNormShape, SavedNorm};
use crate::parts::{PART, for_each_part};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::unary::{Unary, for_activation};
use crate::{Cpu, Element};

/// Rows that one task of inference has at least: it prepares the factors of its channels itself.
const LEAST_ROWS: usize = 64;
/// Channels whose factors are prepared at a time, on the stack.
const STRIP: usize = 1024;

per_element! {
    /// Normalises with the batch's own statistics and moves the running ones towards them, in two passes over `x`:
    /// [`batch_norm_moments`], [`batch_norm_statistics`], [`batch_norm_apply`].
    ///
    /// As PyTorch: `y = (x - mean) / sqrt(var + eps) · gamma + beta` with the biased variance;
    /// `running = (1 - momentum) · running + momentum · batch` with the unbiased one. With a single row, which PyTorch
    /// refuses, the variance is zero. `saved` is what the backward pass needs.
    ///
    /// # Panics
    /// When a slice has another length than the shape says, or the workspace is shorter than
    /// [`batch_norm_workspace`](super::batch_norm_workspace).
    pub fn batch_norm_train[E](
        cpu: &Cpu,
        shape: BatchNormShape,
        x: &[E],
        gamma: &[f32],
        beta: &[f32],
        eps: f32,
        momentum: f32,
        running_mean: &mut [f32],
        running_var: &mut [f32],
        after: AfterNorm<'_, E>,
        y: &mut [E],
        saved: SavedNorm<'_>,
        workspace: &mut [f32],
    ) {
        if shape.is_empty() {
            return;
        }
        let (moments, rest) = workspace.split_at_mut(MOMENTS * shape.channels);
        batch_norm_moments(cpu, shape, x, moments, rest);
        let SavedNorm { mean, inv_std, offset } = saved;
        let saved = SavedNorm { mean: &mut *mean, inv_std: &mut *inv_std, offset: &mut *offset };
        batch_norm_statistics(shape, moments, gamma, beta, eps, momentum, running_mean, running_var, saved);
        batch_norm_apply(cpu, shape, x, gamma, [mean, inv_std, offset], after, y, moments);
    }
}

/// From the moments of a batch, as [`batch_norm_moments`] gives them, to what [`batch_norm_apply`] reads; moves the
/// running statistics.
///
/// # Panics
/// When a slice has not the length that the channels ask for.
pub fn batch_norm_statistics(
    shape: BatchNormShape,
    moments: &[f32],
    gamma: &[f32],
    beta: &[f32],
    eps: f32,
    momentum: f32,
    running_mean: &mut [f32],
    running_var: &mut [f32],
    saved: SavedNorm<'_>,
) {
    let BatchNormShape { rows, channels } = shape;
    let SavedNorm { mean: save_mean, inv_std: save_inv_std, offset } = saved;
    for slice in [gamma, beta, running_mean, running_var, save_mean, save_inv_std, offset] {
        assert_eq!(slice.len(), channels, "one number a channel");
    }
    assert_eq!(moments.len(), MOMENTS * channels, "four numbers a channel");
    let [mean, lost, variance, more] = [0, 1, 2, 3].map(|i| &moments[i * channels..(i + 1) * channels]);
    let (n, momentum) = (rows as f64, f64::from(momentum));
    for c in 0..channels {
        let (lost, variance) = (f64::from(lost[c]), f64::from(variance[c]) + f64::from(more[c]));
        let inv_std = 1.0 / (variance + f64::from(eps)).sqrt();
        let unbiased = variance * n / (n - 1.0).max(1.0);
        let batch_mean = f64::from(mean[c]) + lost;
        running_mean[c] = ((1.0 - momentum) * f64::from(running_mean[c]) + momentum * batch_mean) as f32;
        running_var[c] = ((1.0 - momentum) * f64::from(running_var[c]) + momentum * unbiased) as f32;
        save_mean[c] = mean[c];
        save_inv_std[c] = inv_std as f32;
        // Makes up for what the mean loses when it is rounded to f32.
        let factor = factor_of(gamma[c], save_inv_std[c]);
        offset[c] = (f64::from(beta[c]) - lost * f64::from(factor)) as f32;
    }
}

per_element! {
    /// Normalises with statistics that are known; `saved` is [`SavedNorm`]: mean, 1/σ, offset.
    ///
    /// # Panics
    /// When a slice has another length than the shape says, or the workspace fewer words than there are channels.
    pub fn batch_norm_apply[E](
        cpu: &Cpu,
        shape: BatchNormShape,
        x: &[E],
        gamma: &[f32],
        saved: [&[f32]; 3],
        after: AfterNorm<'_, E>,
        y: &mut [E],
        workspace: &mut [f32],
    ) {
        let BatchNormShape { rows, channels } = shape;
        assert!(x.len() == shape.len() && y.len() == shape.len(), "x and y are {rows} × {channels}");
        assert!(after.residual.is_none_or(|residual| residual.len() == shape.len()), "a residual is {rows} × {channels}");
        if shape.is_empty() {
            return;
        }
        let line = line(gamma, saved, &mut workspace[..channels]);
        let normalize: MapRows<E, E> = for_activation!(after.activation, F => map_rows::<Normalize<F>, E, E>);
        let normalize_add: MapRows<E, E> = for_activation!(after.activation, F => map_rows::<NormalizeAdd<F>, E, E>);
        let part = PART.div_ceil(channels) * channels;
        let (of, layout) = (Channels::of(line), Layout { width: channels, pitch: channels });
        for_each_part(cpu, part, [y], |range, [y]| match after.residual {
            // What is there is as good as anything where no other number is read.
            None => normalize(cpu, &x[range], None, of, layout, y),
            Some(residual) => normalize_add(cpu, &x[range.clone()], Some(&residual[range]), of, layout, y),
        });
    }
}

/// Center, factor and offset of every channel: a normalised number is `(x - center) · factor + offset`.
pub(crate) type Line<'l> = [&'l [f32]; 3];

/// The line of a norm, from its scale and mean, 1/σ and offset; the factors go where there is room for them.
///
/// # Panics
/// When a slice has not one number a channel, of which there are as many as factors.
pub(crate) fn line<'l>(gamma: &[f32], [mean, inv_std, offset]: [&'l [f32]; 3], factors: &'l mut [f32]) -> Line<'l> {
    for slice in [gamma, mean, inv_std, offset] {
        assert_eq!(slice.len(), factors.len(), "one number a channel");
    }
    for ((factor, gamma), inv_std) in factors.iter_mut().zip(gamma).zip(inv_std) {
        *factor = factor_of(*gamma, *inv_std);
    }
    [mean, factors, offset]
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

/// A norm whose line is known, and the activation that follows it, on one thread.
#[derive(Clone, Copy)]
pub(crate) struct Normalizer<'n> {
    pub(crate) line: Line<'n>,
    activation: Option<Unary>,
}

impl<'n> Normalizer<'n> {
    pub(crate) fn new(line: Line<'n>, activation: Option<Unary>) -> Self {
        Self { line, activation }
    }

    /// Rows of x, to rows of y that start `pitch` words after one another.
    pub(crate) fn apply<E: Element, T: Element>(&self, cpu: &Cpu, x: &[E], pitch: usize, y: &mut [T]) {
        let part: MapRows<E, T> = for_activation!(self.activation, F => map_rows::<Normalize<F>, E, T>);
        let layout = Layout { width: self.line[0].len(), pitch };
        part(cpu, x, None, Channels::of(self.line), layout, y);
    }
}

/// What a channel is scaled by, here and on the way back.
pub(super) fn factor_of(gamma: f32, inv_std: f32) -> f32 {
    gamma * inv_std
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
