//! A band of a picture on its way through a block.

use std::ops::Range;

use super::{DepthwiseBlock, Side};
use crate::Cpu;
use crate::conv2d::Epilogue;
use crate::conv2d::depthwise::Finish;
use crate::gemm::Gemm;
use crate::pool::Disjoint;
use crate::unary::InPlace;

/// A layer, its activation made ready.
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

/// What all tasks of a run know.
pub(super) struct Run<'r> {
    pub(super) plan: &'r DepthwiseBlock,
    pub(super) gemm: Gemm,
    pub(super) x: &'r [f32],
    pub(super) before: Option<Layer<'r>>,
    pub(super) depthwise: Layer<'r>,
    pub(super) after: Option<Layer<'r>>,
    pub(super) residual: Option<&'r [f32]>,
    pub(super) y: Disjoint<'r, f32>,
}

impl Run<'_> {
    /// A band of a picture.
    ///
    /// # Safety
    /// Nobody else touches these rows of y.
    pub(super) unsafe fn band(&self, picture: usize, band: usize, scratch: &mut [f32]) {
        let plan = self.plan;
        let s = &plan.shape.depthwise;
        let (wide_row, height) = (s.width * s.in_channels, s.out_height());
        let picture_len = self.x.len() / s.batch;
        let picture_x = &self.x[picture * picture_len..][..picture_len];
        let [wide_len, _] = plan.rows_len();
        let (wide, outputs) = scratch.split_at_mut(wide_len);
        let end = (band + 1) * height / plan.bands;
        // Rows of the depthwise convolution's input that lie in `wide`.
        let mut have = 0..0;
        let mut first = band * height / plan.bands;
        while first < end {
            let rows = first..(first + plan.step).min(end);
            let source = if let Some(before) = &self.before {
                let start = (rows.start * s.stride[0]).saturating_sub(s.padding[0]);
                let last = ((rows.end - 1) * s.stride[0] + s.kernel[0]).saturating_sub(s.padding[0]);
                let need = start.min(s.height)..last.min(s.height).max(start.min(s.height));
                let known = need.start.max(have.start)..need.end.min(have.end);
                let known = if known.is_empty() { need.start..need.start } else { known };
                if !known.is_empty() {
                    let from = (known.start - have.start) * wide_row;
                    wide.copy_within(from..from + known.len() * wide_row, 0);
                }
                self.widen(before, picture_x, known.end..need.end, &mut wide[known.len() * wide_row..]);
                have = need;
                [&*wide, self.depthwise.weight]
            } else {
                [picture_x, self.depthwise.weight]
            };
            // SAFETY: rows of this task.
            unsafe { self.narrow(source, have.start, picture, rows.clone(), outputs) }
            first = rows.end;
        }
    }

    /// Rows of the depthwise convolution's input.
    fn widen(&self, layer: &Layer<'_>, picture: &[f32], rows: Range<usize>, wide: &mut [f32]) {
        let s = &self.plan.shape.depthwise;
        let Some(product) = self.plan.pointwise(Side::Before) else { return };
        let pixels = rows.len() * s.width;
        let source = &picture[rows.start * s.width * product.depth..][..pixels * product.depth];
        let target = Disjoint::new(&mut wide[..pixels * product.columns]);
        // SAFETY: all of the target is this call's.
        unsafe { product.run(self.gemm, layer, source, None, &target, 0) }
    }

    /// The depthwise convolution of some rows, whose input from row `have` on is the source, and what comes after it.
    ///
    /// # Safety
    /// Nobody else touches these rows of y.
    unsafe fn narrow(&self, source: [&[f32]; 2], have: usize, picture: usize, rows: Range<usize>, outputs: &mut [f32]) {
        let s = &self.plan.shape.depthwise;
        let row_len = s.out_width() * s.out_channels;
        let out_row = s.out_width() * self.plan.shape.out_channels();
        let at = (picture * s.out_height() + rows.start) * out_row;
        let epilogue = self.depthwise.epilogue;
        // SAFETY: by the caller's promise.
        let outputs = match self.after {
            Some(_) => &mut outputs[..rows.len() * row_len],
            None => unsafe { self.y.slice(at, rows.len() * row_len) },
        };
        for (number, (oy, row)) in rows.zip(outputs.chunks_exact_mut(row_len)).enumerate() {
            let residual = self.residual.filter(|_| self.after.is_none());
            let residual = residual.map(|residual| &residual[at + number * row_len..][..row_len]);
            let finish = Finish { bias: epilogue.bias, residual, ceiling: epilogue.ceiling() };
            self.plan.depthwise.forward_row(s, source, finish, [have, oy], row);
            if let Some(activation) = self.depthwise.late {
                activation.apply(row);
            }
        }
        if let (Some(layer), Some(product)) = (&self.after, self.plan.pointwise(Side::After)) {
            // SAFETY: by the caller's promise.
            unsafe { product.run(self.gemm, layer, outputs, self.residual, &self.y, at) }
        }
    }
}
