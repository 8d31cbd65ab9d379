//! Layer normalisation: every row of `[rows][channels]` by its own mean and variance, `torch.nn.LayerNorm` over the last axis.
//!
//! A mean far larger than the standard deviation costs no digits: deviations are taken from the mean as it is rounded, and
//! what rounding took from it is found among them. The backward pass finds the statistics again, to the bit, from `x`: a row
//! that is summed lies in the first cache, so nothing has to be kept for it.

mod backward;
mod forward;

pub use backward::layer_norm_backward;
pub use forward::layer_norm;

use crate::Element;
use crate::column_sums::{RowChunks, lanes};
use crate::floats::widen;

/// Sums along a row are made in so many lanes, at every level.
const LANES: usize = 16;

/// Rows (batch × pixels, or tokens) by `channels`, channels last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerNormShape {
    /// Each has statistics of its own.
    pub rows: usize,
    /// Numbers in a row.
    pub channels: usize,
}

impl LayerNormShape {
    /// Numbers in the input, and in the output.
    pub fn len(self) -> usize {
        self.rows * self.channels
    }

    /// Whether there is nothing to normalise.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn chunks(self) -> RowChunks {
        RowChunks::new(self.rows, self.channels)
    }

    fn check<const A: usize, const N: usize>(self, activations: [usize; A], parameters: [usize; N]) {
        let Self { rows, channels } = self;
        assert!(activations.iter().all(|&len| len == self.len()), "x, y and their gradients are {rows} × {channels}");
        assert!(parameters.iter().all(|&len| len == channels), "one number a channel");
    }
}

/// Words of workspace that [`layer_norm_backward`] needs.
pub fn layer_norm_backward_workspace(shape: LayerNormShape) -> usize {
    shape.chunks().workspace(2 * shape.channels)
}

/// What a row is normalised by.
#[derive(Clone, Copy, Default)]
struct Statistics {
    /// Of the row, rounded.
    mean: f32,
    /// What the mean lost in rounding.
    lost: f32,
    /// `1 / sqrt(variance + eps)`.
    inv_std: f32,
}

impl Statistics {
    #[inline(always)]
    fn of<E: Element>(x: &[E], eps: f32) -> Self {
        let count = x.len() as f64;
        let mut sums = [0.0; LANES];
        for column in (0..x.len()).step_by(LANES) {
            let x = strip(x, column, 0.0);
            for lane in 0..LANES {
                sums[lane] += x[lane];
            }
        }
        let mean = (total(&sums) / count) as f32;
        let (mut deviations, mut squares) = ([0.0; LANES], [0.0; LANES]);
        for column in (0..x.len()).step_by(LANES) {
            let x = strip(x, column, mean);
            for lane in 0..LANES {
                let deviation = x[lane] - mean;
                deviations[lane] += deviation;
                squares[lane] += deviation * deviation;
            }
        }
        let lost = total(&deviations) / count;
        let variance = (total(&squares) / count - lost * lost).max(0.0);
        Self { mean, lost: lost as f32, inv_std: (1.0 / (variance + f64::from(eps)).sqrt()) as f32 }
    }

    /// A number of the row with mean 0 and variance 1; the same bits on the way there and on the way back.
    #[inline(always)]
    fn normalized(self, x: f32) -> f32 {
        (x - self.mean - self.lost) * self.inv_std
    }
}

/// The numbers of a row from `column` on, and behind its end `beyond`.
#[inline(always)]
fn strip<E: Element>(row: &[E], column: usize, beyond: f32) -> [f32; LANES] {
    if column + LANES <= row.len() {
        return lanes(row, column);
    }
    let mut strip = [beyond; LANES];
    let last = &row[column..];
    widen(last, &mut strip[..last.len()]);
    strip
}

/// All lanes together, in their order.
#[inline(always)]
fn total(sums: &[f32; LANES]) -> f64 {
    let mut total = 0.0;
    for sum in sums {
        total += f64::from(*sum);
    }
    total
}

#[cfg(test)]
mod tests;
