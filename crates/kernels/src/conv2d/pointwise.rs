//! 1×1 convolutions of some pixels, as part of a larger step.

use std::ops::Range;

use super::Epilogue;
use super::implicit::{BLOCK_DEPTH, BLOCK_PIXELS};
use crate::gemm::{Gemm, Left, MAX_ROWS, Places, Product, Store, pack_pairs, pack_rows};
use crate::pool::Disjoint;
use crate::unary::InPlace;
use crate::{Cpu, Pool};

/// A convolution's weight in the form that is read, and what is done to its results, made ready.
#[derive(Clone, Copy)]
pub(super) struct Layer<'l> {
    pub(super) weight: &'l [f32],
    pub(super) epilogue: Epilogue<'l>,
    pub(super) late: Option<InPlace<'l>>,
}

impl<'l> Layer<'l> {
    pub(super) fn new(cpu: &'l Cpu, weight: &'l [f32], epilogue: Epilogue<'l>) -> Self {
        Self { weight, late: epilogue.late(cpu), epilogue }
    }
}

/// A 1×1 convolution of pixels that lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pointwise {
    pub(super) depth: usize,
    pub(super) columns: usize,
    /// Width of a panel.
    pub(super) panel: usize,
}

/// Some columns of a product, from a panel's first one on, and where they go.
pub(super) struct Columns {
    pub(super) all: Range<usize>,
    /// Which of them is the target's first one.
    pub(super) first: usize,
    /// Columns of the target.
    pub(super) pitch: usize,
}

impl Pointwise {
    pub(super) fn packed_len(&self) -> usize {
        self.columns.div_ceil(self.panel) * self.depth * self.panel
    }

    pub(super) fn pack(&self, pool: &Pool, weight: &[f32], packed: &mut [f32]) {
        pool.for_each_chunk(packed, self.depth * self.panel, |number, panel| {
            let first = number * self.panel;
            let columns = first..(first + self.panel).min(self.columns);
            pack_rows(panel, self.panel, |i| &weight[i * self.columns..][columns.clone()]);
        });
    }

    /// [`pack`](Self::pack) of a weight of twice the depth, as rounded pairs.
    pub(super) fn pack_pairs(&self, pool: &Pool, weight: &[f32], packed: &mut [f32]) {
        pool.for_each_chunk(packed, self.depth * self.panel, |number, panel| {
            let first = number * self.panel;
            let columns = first..(first + self.panel).min(self.columns);
            let row = |i: usize| &weight[i * self.columns..][columns.clone()];
            pack_pairs(panel, self.panel, |i| [row(2 * i), row(2 * i + 1)]);
        });
    }

    /// All pixels of a source, to the target's whose first one starts at a place.
    ///
    /// # Safety
    /// Nobody else touches these pixels and columns of the target.
    pub(super) unsafe fn run(
        &self,
        gemm: Gemm,
        layer: &Layer<'_>,
        source: &[f32],
        residual: Option<&[f32]>,
        to: Columns,
        target: &Disjoint<'_, f32>,
        at: usize,
    ) {
        let pixels = source.len() / self.depth;
        let block = pixels.div_ceil(pixels.div_ceil(BLOCK_PIXELS).max(1)).max(1);
        let part = self.depth.div_ceil(self.depth.div_ceil(BLOCK_DEPTH));
        for first in (0..pixels).step_by(block) {
            let count = block.min(pixels - first);
            let (mut a_rows, mut c_rows) = ([0; MAX_ROWS], [0; MAX_ROWS]);
            for (pixel, (a_row, c_row)) in a_rows.iter_mut().zip(&mut c_rows).enumerate().take(count) {
                *a_row = (first + pixel) * self.depth;
                *c_row = at + (first + pixel) * to.pitch;
            }
            let (rows, results) = (Places::new(&a_rows[..count]), Places::new(&c_rows[..count]));
            for depth in (0..self.depth).step_by(part) {
                let run = part.min(self.depth - depth);
                let last = depth + run == self.depth;
                for column in to.all.clone().step_by(self.panel) {
                    let columns = column..(column + self.panel).min(to.all.end);
                    let packed = &layer.weight[column * self.depth..][..self.depth * self.panel];
                    let product = Product {
                        left: Left::Rows { numbers: source, rows, segments: &[depth], run },
                        panel: &packed[depth * self.panel..(depth + run) * self.panel],
                        width: self.panel,
                        c: target,
                        c_rows: results,
                        c_column: column - to.first,
                        columns: columns.len(),
                        store: Store {
                            accumulate: depth > 0,
                            bias: layer.epilogue.bias.filter(|_| last).map(|bias| &bias[columns]),
                            residual: residual.filter(|_| last),
                            ceiling: layer.epilogue.ceiling().filter(|_| last),
                        },
                    };
                    // SAFETY: by the caller's promise.
                    unsafe { gemm.multiply(&product) }
                }
            }
            if let Some(activation) = layer.late {
                for row in &c_rows[..count] {
                    // SAFETY: by the caller's promise.
                    activation.apply(unsafe { target.slice(row + to.all.start - to.first, to.all.len()) });
                }
            }
        }
    }
}
