//! Mean and variance of every channel, joined from sums of parts of the rows.
//!
//! A part sums `x - pivot` and its square, its pivot being the mean of some of its rows, so that a mean far larger than
//! the standard deviation costs no digits. Parts are joined in their order (Chan, Golub, LeVeque: Algorithms for
//! computing the sample variance).

use super::BatchNormShape;
use crate::column_sums::{BLOCK, join, lanes};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::{Cpu, Element};

/// Rows, spread over those that come first, whose mean is the pivot: one alone may be a corner of a picture, far from
/// the rest.
const PIVOT_ROWS: usize = 16;

/// Numbers of a channel's moments: mean and variance, each in two words.
pub(super) const MOMENTS: usize = 4;

/// Numbers of a part: pivot, `Σ x - pivot`, `Σ (x - pivot)²` of every channel.
pub(crate) const fn part_len(channels: usize) -> usize {
    3 * channels
}

per_element! {
    /// Mean and variance of the batch: `moments` is `[4][channels]`, the mean, what it lost when it was rounded to f32, the
    /// biased variance, and what that lost.
    ///
    /// # Panics
    /// When a slice has another length than that, or the workspace is shorter than
    /// [`batch_norm_workspace`](super::batch_norm_workspace).
    pub fn batch_norm_moments[E](
        cpu: &Cpu,
        shape: BatchNormShape,
        x: &[E],
        moments: &mut [f32],
        workspace: &mut [f32],
    ) {
        let BatchNormShape { rows, channels } = shape;
        assert_eq!(x.len(), shape.len(), "x is {rows} × {channels}");
        if shape.is_empty() {
            return moments.fill(0.0);
        }
        let chunks = shape.chunks();
        let parts = chunks.partial_sums(cpu, part_len(channels), workspace, |rows, part| {
            add_moments(cpu, channels, &x[rows.start * channels..rows.end * channels], true, part);
        });
        join_moments(cpu, channels, parts, |number| chunks.range(number).len(), moments);
    }
}

/// Adds rows to a part. The first ones choose its pivot.
pub(crate) fn add_moments<E: Element>(cpu: &Cpu, channels: usize, x: &[E], is_first: bool, part: &mut [f64]) {
    let (pivot, sums) = part.split_at_mut(channels);
    if is_first {
        find_pivot(x, pivot);
        sums.fill(0.0);
    }
    let (sum, square) = sums.split_at_mut(channels);
    moments_part(cpu, channels, x, pivot, sum, square);
}

/// What all parts say together. They are written over.
///
/// # Panics
/// When there is no part, or `moments` is not `[4][channels]`.
pub(crate) fn join_moments(
    cpu: &Cpu,
    channels: usize,
    parts: &mut [f64],
    rows_of: impl Fn(usize) -> usize,
    moments: &mut [f32],
) {
    assert_eq!(moments.len(), MOMENTS * channels, "four numbers a channel");
    let (all, rest) = parts.split_at_mut(part_len(channels));
    let mut rows = rows_of(0);
    center_part(cpu, channels, rows as f64, all);
    for (number, part) in rest.chunks_exact_mut(part_len(channels)).enumerate() {
        let more = rows_of(number + 1);
        center_part(cpu, channels, more as f64, part);
        rows += more;
        join_part(cpu, channels, more as f64 / rows as f64, (rows - more) as f64, part, all);
    }
    let (means, variances) = moments.split_at_mut(2 * channels);
    for c in 0..channels {
        // Rounding may leave a constant channel a little below zero. Not `max`: that would hide a NaN.
        let squares = if all[2 * channels + c] < 0.0 { 0.0 } else { all[2 * channels + c] };
        for (to, number) in [(&mut *means, all[c]), (&mut *variances, squares / rows as f64)] {
            to[c] = number as f32;
            to[channels + c] = (number - f64::from(to[c])) as f32;
        }
    }
}

/// The mean of some rows, for every channel.
fn find_pivot<E: Element>(x: &[E], pivot: &mut [f64]) {
    let channels = pivot.len();
    let rows = x.len() / channels;
    let taken = rows.min(PIVOT_ROWS);
    pivot.fill(0.0);
    for sample in 0..taken {
        let row = sample * rows / taken;
        for (pivot, x) in pivot.iter_mut().zip(&x[row * channels..]) {
            *pivot += f64::from(x.to_f32()) / taken as f64;
        }
    }
    // The sums subtract what an f32 holds.
    pivot.iter_mut().for_each(|pivot| *pivot = f64::from(*pivot as f32));
}

per_level! {
    /// Turns pivot, sum and square into mean, sum and `Σ (x - mean)²`.
    fn center_part(channels: usize, rows: f64, part: &mut [f64]) {
        let (mean, rest) = part.split_at_mut(channels);
        let (sum, square) = rest.split_at_mut(channels);
        for ((mean, sum), square) in mean.iter_mut().zip(sum).zip(square) {
            let shift = *sum / rows;
            *mean += shift;
            *square -= shift * *sum;
        }
    }
}

per_level! {
    /// Joins a part, which is a `share` of what both have, to one of `rows`.
    fn join_part(channels: usize, share: f64, rows: f64, part: &[f64], all: &mut [f64]) {
        let (mean, rest) = all.split_at_mut(channels);
        let squares = &mut rest[channels..2 * channels];
        let (more_mean, more_squares) = (&part[..channels], &part[2 * channels..3 * channels]);
        for c in 0..channels {
            let step = more_mean[c] - mean[c];
            mean[c] += step * share;
            squares[c] += more_squares[c] + step * step * share * rows;
        }
    }
}

per_level! {
    /// Adds `Σ x - pivot` and `Σ (x - pivot)²` of every channel.
    fn moments_part[E: Element](channels: usize, x: &[E], pivot: &[f64], sum: &mut [f64], square: &mut [f64]) {
        for block in x.chunks(BLOCK * channels) {
            let mut channel = 0;
            while channel + 32 <= channels {
                moments_strip::<E, 32>(block, channels, channel, pivot, sum, square);
                channel += 32;
            }
            while channel + 8 <= channels {
                moments_strip::<E, 8>(block, channels, channel, pivot, sum, square);
                channel += 8;
            }
            while channel < channels {
                moments_strip::<E, 1>(block, channels, channel, pivot, sum, square);
                channel += 1;
            }
        }
    }
}

#[inline(always)]
fn moments_strip<E: Element, const L: usize>(
    block: &[E],
    channels: usize,
    channel: usize,
    pivot: &[f64],
    sum: &mut [f64],
    square: &mut [f64],
) {
    let mut pivots = [0.0; L];
    for (to, from) in pivots.iter_mut().zip(&pivot[channel..channel + L]) {
        *to = *from as f32;
    }
    let (mut sums, mut squares) = ([0.0; L], [0.0; L]);
    for row in block.chunks_exact(channels) {
        let x: [f32; L] = lanes(row, channel);
        for lane in 0..L {
            let d = x[lane] - pivots[lane];
            sums[lane] += d;
            squares[lane] += d * d;
        }
    }
    join(&mut sum[channel..], &sums);
    join(&mut square[channel..], &squares);
}
