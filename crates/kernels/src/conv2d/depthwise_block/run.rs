//! The work of a block: rows on their way through its convolutions.

use std::ops::Range;

use super::{DepthwiseBlock, Side};
use crate::Pool;
use crate::conv2d::Conv2dShape;
use crate::conv2d::depthwise::Finish;
use crate::conv2d::pointwise::{Columns, Layer};
use crate::conv2d::rolling::{RollingRows, rows_of_outputs};
use crate::conv2d::window::copy_short;
use crate::gemm::Gemm;
use crate::pool::Disjoint;
use crate::workers::Workers;

/// Pixels of a task of the third convolution, about.
const PIXELS: usize = 48;

/// What all tasks of a run know.
pub(super) struct Run<'r> {
    pub(super) plan: &'r DepthwiseBlock,
    pub(super) gemm: Gemm,
    pub(super) pool: &'r Pool,
    pub(super) x: &'r [f32],
    pub(super) before: Option<Layer<'r>>,
    pub(super) depthwise: Layer<'r>,
    pub(super) after: Option<Layer<'r>>,
    pub(super) residual: Option<&'r [f32]>,
}

/// The depthwise convolution of some channels.
struct Strip<'s> {
    shape: Conv2dShape,
    channels: Range<usize>,
    weight: &'s [f32],
}

impl Run<'_> {
    /// Every task takes a band of a picture through all convolutions.
    pub(super) fn by_rows(&self, bands: usize, workers: &Workers<'_>, y: &mut [f32]) {
        let shape = self.plan.shape.depthwise;
        let (height, row_len) = (shape.out_height(), shape.out_width() * shape.out_channels);
        let out_row = shape.out_width() * self.plan.shape.out_channels();
        let strip = Strip { shape, channels: 0..shape.in_channels, weight: self.depthwise.weight };
        let product = self.after.as_ref().zip(self.plan.pointwise(Side::After));
        let y = Disjoint::new(y);
        self.pool.run(shape.batch * bands, &|task, worker| {
            let (picture, band) = (task / bands, task % bands);
            // SAFETY: a worker runs one task at a time.
            let [wide, narrow, _] = self.scratch(unsafe { workers.scratch(worker) });
            let rows = band * height / bands..(band + 1) * height / bands;
            self.roll(&strip, picture, rows, wide, |rows, source| {
                let at = (picture * height + rows.start) * out_row;
                let outputs = match product {
                    Some(_) => &mut narrow[..rows.len() * row_len],
                    // SAFETY: every row of every picture comes once.
                    None => unsafe { y.slice(at, rows.len() * row_len) },
                };
                for (oy, row) in rows.zip(outputs.chunks_exact_mut(row_len)) {
                    self.convolve_row(&strip, source, oy, row);
                }
                if let Some((layer, product)) = product {
                    let columns = Columns { all: 0..product.columns, first: 0, pitch: product.columns };
                    // SAFETY: as above.
                    unsafe { product.run(self.gemm, layer, outputs, self.residual, columns, &y, at) }
                }
            });
        });
    }

    /// Every task takes some channels of a picture through the first two convolutions; when all are there, tasks do the
    /// third for some pixels.
    pub(super) fn by_channels(&self, workers: &Workers<'_>, waiting: &mut [f32], y: &mut [f32]) {
        let third = self.after.as_ref().zip(self.plan.pointwise(Side::After));
        let Some((layer, product)) = third else { return self.channels(workers, y) };
        self.channels(workers, waiting);
        let pixels = waiting.len() / product.depth;
        let part = pixels.div_ceil(pixels.div_ceil(PIXELS));
        let parts = pixels.div_ceil(part);
        let panels = product.columns.div_ceil(product.panel);
        // Columns are parted where there are few pixels.
        let sides = (4 * self.plan.threads).div_ceil(parts).min(panels);
        let y = Disjoint::new(y);
        self.pool.run(parts * sides, &|task, _| {
            let (part_number, side) = (task / sides, task % sides);
            let first = part_number * part;
            let count = part.min(pixels - first);
            let place = |side: usize| (side * panels / sides * product.panel).min(product.columns);
            let columns = Columns { all: place(side)..place(side + 1), first: 0, pitch: product.columns };
            let source = &waiting[first * product.depth..][..count * product.depth];
            // SAFETY: every task has its own pixels and columns.
            unsafe {
                product.run(self.gemm, layer, source, self.residual, columns, &y, first * product.columns);
            }
        });
    }

    /// The first two convolutions, some channels a task, into a target of all channels.
    fn channels(&self, workers: &Workers<'_>, target: &mut [f32]) {
        let shape = self.plan.shape.depthwise;
        let (all, part) = (shape.in_channels, self.plan.channels);
        let parts = all.div_ceil(part);
        let (height, width) = (shape.out_height(), shape.out_width());
        let target = Disjoint::new(target);
        self.pool.run(shape.batch * parts, &|task, worker| {
            let (picture, first) = (task / parts, task % parts * part);
            let channels = first..(first + part).min(all);
            let count = channels.len();
            // SAFETY: a worker runs one task at a time.
            let [wide, row, weight] = self.scratch(unsafe { workers.scratch(worker) });
            let weight = &mut weight[..shape.taps() * count];
            for (to, from) in weight.chunks_exact_mut(count).zip(self.depthwise.weight.chunks_exact(all)) {
                copy_short(&from[channels.clone()], to);
            }
            let row = &mut row[..width * count];
            let shape = Conv2dShape { in_channels: count, out_channels: count, groups: count, ..shape };
            let strip = Strip { shape, channels: channels.clone(), weight };
            self.roll(&strip, picture, 0..height, wide, |rows, source| {
                for oy in rows {
                    self.convolve_row(&strip, source, oy, row);
                    let at = (picture * height + oy) * width * all + first;
                    for (ox, from) in row.chunks_exact(count).enumerate() {
                        // SAFETY: every task has its own channels of its own picture.
                        let to = unsafe { target.slice(at + ox * all, count) };
                        copy_short(from, to);
                    }
                }
            });
        });
    }

    fn scratch<'w>(&self, scratch: &'w mut [f32]) -> [&'w mut [f32]; 3] {
        let [wide_len, narrow_len, _] = self.plan.rows_len();
        let (wide, rest) = scratch.split_at_mut(wide_len);
        let (narrow, weight) = rest.split_at_mut(narrow_len);
        [wide, narrow, weight]
    }

    /// Calls `each` for some rows of the depthwise output after the other, with what they are made from: rows of its
    /// input, and which of the picture's the first one is.
    fn roll(
        &self,
        strip: &Strip<'_>,
        picture: usize,
        rows: Range<usize>,
        wide: &mut [f32],
        mut each: impl FnMut(Range<usize>, (&[f32], usize)),
    ) {
        let (plan, s) = (self.plan, &strip.shape);
        let row_len = s.width * s.in_channels;
        let picture_len = self.x.len() / s.batch;
        let picture = &self.x[picture * picture_len..][..picture_len];
        let mut wide = RollingRows::new(wide, row_len);
        for first in rows.clone().step_by(plan.step) {
            let rows = first..(first + plan.step).min(rows.end);
            if !plan.has_wide_copy() {
                each(rows, (picture, 0));
                continue;
            }
            let need = rows_of_outputs(s, &rows);
            let first = need.start;
            each(rows, (wide.hold(need, |rows, to| self.widen(strip, picture, rows, to)), first));
        }
    }

    /// Rows of some channels of the depthwise convolution's input.
    fn widen(&self, strip: &Strip<'_>, picture: &[f32], rows: Range<usize>, wide: &mut [f32]) {
        let s = &strip.shape;
        let pixels = rows.start * s.width..rows.end * s.width;
        match self.before.as_ref().zip(self.plan.pointwise(Side::Before)) {
            Some((layer, product)) => {
                let source = &picture[pixels.start * product.depth..pixels.end * product.depth];
                let columns =
                    Columns { all: strip.channels.clone(), first: strip.channels.start, pitch: s.in_channels };
                // SAFETY: all of the target is this call's.
                unsafe { product.run(self.gemm, layer, source, None, columns, &Disjoint::new(wide), 0) }
            }
            None => {
                let all = self.plan.shape.depthwise.in_channels;
                let source = &picture[pixels.start * all..pixels.end * all];
                for (to, from) in wide.chunks_exact_mut(s.in_channels).zip(source.chunks_exact(all)) {
                    copy_short(&from[strip.channels.clone()], to);
                }
            }
        }
    }

    /// A row of the depthwise output.
    fn convolve_row(&self, strip: &Strip<'_>, (source, first): (&[f32], usize), oy: usize, row: &mut [f32]) {
        let epilogue = &self.depthwise.epilogue;
        let bias = epilogue.bias.map(|bias| &bias[strip.channels.clone()]);
        let finish = Finish { bias, residual: None, ceiling: epilogue.ceiling(), next: None };
        self.plan.depthwise.forward_row(&strip.shape, [source, strip.weight], finish, [first, oy], row);
        if let Some(activation) = self.depthwise.late {
            activation.apply(row);
        }
    }
}
