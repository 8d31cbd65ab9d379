//! Gradients of the input, the scale and the shift.

use super::{LANES, LayerNormShape, Statistics, strip, total};
use crate::column_sums::{BLOCK, join, lanes, put_lanes};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::pool::Disjoint;
use crate::{Cpu, Element};

per_element! {
    /// Gradients of [`layer_norm`](super::layer_norm); all are overwritten.
    ///
    /// With n the normalised number and `g = dy · gamma`: `dgamma = Σ_rows dy · n`, `dbeta = Σ_rows dy`,
    /// `dx = (g - mean(g) - n · mean(g · n)) / sqrt(variance + eps)`, with means over the row.
    ///
    /// # Panics
    /// As the forward pass.
    pub fn layer_norm_backward[E](
        cpu: &Cpu,
        shape: LayerNormShape,
        x: &[E],
        dy: &[E],
        gamma: &[f32],
        eps: f32,
        dx: &mut [E],
        dgamma: &mut [f32],
        dbeta: &mut [f32],
        workspace: &mut [f32],
    ) {
        let channels = shape.channels;
        shape.check([x.len(), dy.len(), dx.len()], [gamma.len(), dgamma.len(), dbeta.len()]);
        let dx = Disjoint::new(dx);
        let sums = shape.chunks().sum(cpu, 2 * channels, workspace, |rows, sums| {
            let (start, len) = (rows.start * channels, rows.len() * channels);
            // SAFETY: chunks of rows do not overlap.
            let dx = unsafe { dx.slice(start, len) };
            backward_rows(cpu, &x[start..start + len], &dy[start..start + len], gamma, eps, dx, sums);
        });
        let (of_gamma, of_beta) = sums.split_at(channels);
        dgamma.iter_mut().zip(of_gamma).for_each(|(to, &sum)| *to = sum as f32);
        dbeta.iter_mut().zip(of_beta).for_each(|(to, &sum)| *to = sum as f32);
    }
}

/// What the gradient of a row's numbers needs of the whole row.
#[derive(Clone, Copy, Default)]
struct Row {
    statistics: Statistics,
    /// Of g.
    mean: f32,
    /// Mean of g · n.
    slope: f32,
}

impl Row {
    #[inline(always)]
    fn of<E: Element>(x: &[E], dy: &[E], gamma: &[f32], eps: f32) -> Self {
        let statistics = Statistics::of(x, eps);
        let (mut sums, mut products) = ([0.0; LANES], [0.0; LANES]);
        for column in (0..x.len()).step_by(LANES) {
            let [x, dy] = [x, dy].map(|row| strip(row, column, 0.0));
            let gamma = strip(gamma, column, 0.0);
            for lane in 0..LANES {
                let g = dy[lane] * gamma[lane];
                sums[lane] += g;
                products[lane] += g * statistics.normalized(x[lane]);
            }
        }
        let count = x.len() as f64;
        Self { statistics, mean: (total(&sums) / count) as f32, slope: (total(&products) / count) as f32 }
    }
}

per_level! {
    /// Adds to the sums, first for every channel of dgamma, then for every one of dbeta.
    fn backward_rows[E: Element](
        x: &[E],
        dy: &[E],
        gamma: &[f32],
        eps: f32,
        dx: &mut [E],
        sums: &mut [f64],
    ) {
        let channels = gamma.len();
        let (dgamma, dbeta) = sums.split_at_mut(channels);
        let blocks = x.chunks(BLOCK * channels).zip(dy.chunks(BLOCK * channels));
        // Rows first, then strips of the block's channels, whose sums stay in registers.
        for ((x, dy), dx) in blocks.zip(dx.chunks_mut(BLOCK * channels)) {
            let mut rows = [Row::default(); BLOCK];
            for ((row, x), dy) in rows.iter_mut().zip(x.chunks_exact(channels)).zip(dy.chunks_exact(channels)) {
                *row = Row::of(x, dy, gamma, eps);
            }
            let rows = &rows[..x.len() / channels];
            let mut channel = 0;
            while channel + 32 <= channels {
                strip_of_block::<E, 32>(rows, [x, dy], gamma, channel, dx, [dgamma, dbeta]);
                channel += 32;
            }
            while channel + 8 <= channels {
                strip_of_block::<E, 8>(rows, [x, dy], gamma, channel, dx, [dgamma, dbeta]);
                channel += 8;
            }
            while channel < channels {
                strip_of_block::<E, 1>(rows, [x, dy], gamma, channel, dx, [dgamma, dbeta]);
                channel += 1;
            }
        }
    }
}

#[inline(always)]
fn strip_of_block<E: Element, const L: usize>(
    rows: &[Row],
    [x, dy]: [&[E]; 2],
    gamma: &[f32],
    channel: usize,
    dx: &mut [E],
    [dgamma, dbeta]: [&mut [f64]; 2],
) {
    let channels = gamma.len();
    let gamma: [f32; L] = lanes(gamma, channel);
    let (mut products, mut sums) = ([0.0; L], [0.0; L]);
    for (row, at) in rows.iter().zip((channel..).step_by(channels)) {
        let x: [f32; L] = lanes(x, at);
        let dy: [f32; L] = lanes(dy, at);
        let mut gradient = [0.0; L];
        for lane in 0..L {
            let n = row.statistics.normalized(x[lane]);
            products[lane] += dy[lane] * n;
            sums[lane] += dy[lane];
            gradient[lane] = row.statistics.inv_std * (dy[lane] * gamma[lane] - row.mean - n * row.slope);
        }
        put_lanes(&gradient, dx, at);
    }
    join(&mut dgamma[channel..], &products);
    join(&mut dbeta[channel..], &sums);
}
