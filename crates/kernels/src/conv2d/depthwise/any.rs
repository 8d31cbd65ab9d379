//! Rows of kernels of any width and stride: plain loops, vectors along the channels.

use std::ops::Range;

use super::super::Conv2dShape;
use crate::simd::{Vector, read, write};

/// A row of the output and what it is made from.
pub(super) struct ForwardRow<'r> {
    pub(super) shape: &'r Conv2dShape,
    /// The picture of the input.
    pub(super) picture: &'r [f32],
    pub(super) weight: &'r [f32],
    pub(super) bias: Option<&'r [f32]>,
    /// The row of the residual.
    pub(super) residual: Option<&'r [f32]>,
    pub(super) ceiling: Option<f32>,
    pub(super) oy: usize,
    pub(super) y: &'r mut [f32],
}

/// A row of the input's gradient and what it is made from.
pub(super) struct GradInputRow<'r> {
    pub(super) shape: &'r Conv2dShape,
    /// The picture of the output's gradient.
    pub(super) dy: &'r [f32],
    pub(super) weight: &'r [f32],
    pub(super) iy: usize,
    pub(super) dx: &'r mut [f32],
}

/// A row of the output's gradient, and the sums of the weight's gradient that it is added to.
pub(super) struct GradWeightRow<'r> {
    pub(super) shape: &'r Conv2dShape,
    /// The picture of the input.
    pub(super) picture: &'r [f32],
    pub(super) dy: &'r [f32],
    pub(super) oy: usize,
    /// The channels to be summed.
    pub(super) block: Range<usize>,
    /// Of a weight's length; only the block's channels are touched.
    pub(super) sums: *mut f32,
}

/// The channels that fill vectors, and the rest.
fn split<V: Vector>(channels: Range<usize>) -> (Range<usize>, Range<usize>) {
    let whole = channels.start + channels.len() / V::LANES * V::LANES;
    (channels.start..whole, whole..channels.end)
}

/// The taps of a kernel that starts at `start - padding` which lie inside `0..len`.
fn inside(start: usize, padding: usize, kernel: usize, len: usize) -> Range<usize> {
    padding.saturating_sub(start).min(kernel)..(len + padding).saturating_sub(start).min(kernel)
}

/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
pub(super) unsafe fn forward<V: Vector>(row: &mut ForwardRow<'_>) {
    let (whole, rest) = split::<V>(0..row.shape.in_channels);
    // SAFETY: the level by the caller's promise; single numbers need none.
    unsafe {
        forward_channels::<V>(row, whole);
        forward_channels::<f32>(row, rest);
    }
}

#[inline(always)]
unsafe fn forward_channels<V: Vector>(row: &mut ForwardRow<'_>, channels: Range<usize>) {
    let s = row.shape;
    let rows = inside(row.oy * s.stride[0], s.padding[0], s.kernel[0], s.height);
    for ox in 0..s.out_width() {
        let columns = inside(ox * s.stride[1], s.padding[1], s.kernel[1], s.width);
        for channel in channels.clone().step_by(V::LANES) {
            let to = ox * s.in_channels + channel;
            // SAFETY: the level by the caller's promise.
            unsafe {
                let mut sum = V::splat(0.0);
                for ky in rows.clone() {
                    let y = row.oy * s.stride[0] + ky - s.padding[0];
                    for kx in columns.clone() {
                        let x = ox * s.stride[1] + kx - s.padding[1];
                        let x: V = read(row.picture, (y * s.width + x) * s.in_channels + channel);
                        let weight = read(row.weight, (ky * s.kernel[1] + kx) * s.in_channels + channel);
                        sum = x.mul_add(weight, sum);
                    }
                }
                if let Some(bias) = row.bias {
                    sum = sum.add(read(bias, channel));
                }
                if let Some(residual) = row.residual {
                    sum = sum.add(read(residual, to));
                }
                if let Some(ceiling) = row.ceiling {
                    sum = sum.relu().at_most(V::splat(ceiling));
                }
                write(sum, row.y, to);
            }
        }
    }
}

/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
pub(super) unsafe fn grad_input<V: Vector>(row: &mut GradInputRow<'_>) {
    let (whole, rest) = split::<V>(0..row.shape.in_channels);
    // SAFETY: the level by the caller's promise; single numbers need none.
    unsafe {
        grad_input_channels::<V>(row, whole);
        grad_input_channels::<f32>(row, rest);
    }
}

/// The taps that meet a place of the input: every stride-th from the first on, while the place of the output that it
/// belongs to, which falls by one from tap to tap, exists. Gives the taps and the output's place of the first.
fn meeting(place: usize, stride: usize, kernel: usize, out: usize) -> (Range<usize>, usize) {
    let (mut tap, mut o) = (place % stride, place / stride);
    let end = kernel.min(place + 1);
    if o >= out {
        tap += (o + 1 - out) * stride;
        o = out - 1;
    }
    (tap..end.max(tap), o)
}

#[inline(always)]
unsafe fn grad_input_channels<V: Vector>(row: &mut GradInputRow<'_>, channels: Range<usize>) {
    let s = row.shape;
    let out_width = s.out_width();
    let (rows, oy) = meeting(row.iy + s.padding[0], s.stride[0], s.kernel[0], s.out_height());
    for ix in 0..s.width {
        let (columns, ox) = meeting(ix + s.padding[1], s.stride[1], s.kernel[1], out_width);
        for channel in channels.clone().step_by(V::LANES) {
            // SAFETY: the level by the caller's promise.
            unsafe {
                let mut sum = V::splat(0.0);
                for (i, ky) in rows.clone().step_by(s.stride[0]).enumerate() {
                    for (j, kx) in columns.clone().step_by(s.stride[1]).enumerate() {
                        let dy: V = read(row.dy, ((oy - i) * out_width + ox - j) * s.in_channels + channel);
                        let weight = read(row.weight, (ky * s.kernel[1] + kx) * s.in_channels + channel);
                        sum = dy.mul_add(weight, sum);
                    }
                }
                write(sum, row.dx, ix * s.in_channels + channel);
            }
        }
    }
}

/// # Safety
/// The machine has the level of `V`; `sums` is good for a weight, of which nobody else touches the block's channels.
#[inline(always)]
pub(super) unsafe fn grad_weight<V: Vector>(row: &mut GradWeightRow<'_>) {
    let (whole, rest) = split::<V>(row.block.clone());
    // SAFETY: by the caller's promise; single numbers need no level.
    unsafe {
        grad_weight_channels::<V>(row, whole);
        grad_weight_channels::<f32>(row, rest);
    }
}

#[inline(always)]
unsafe fn grad_weight_channels<V: Vector>(row: &mut GradWeightRow<'_>, channels: Range<usize>) {
    let s = row.shape;
    let out_width = s.out_width();
    for ky in inside(row.oy * s.stride[0], s.padding[0], s.kernel[0], s.height) {
        let y = row.oy * s.stride[0] + ky - s.padding[0];
        for kx in 0..s.kernel[1] {
            // The windows whose tap kx lies inside the picture.
            let first = s.padding[1].saturating_sub(kx).div_ceil(s.stride[1]);
            let end = (s.width + s.padding[1]).saturating_sub(kx).div_ceil(s.stride[1]).min(out_width);
            for channel in channels.clone().step_by(V::LANES) {
                let to = (ky * s.kernel[1] + kx) * s.in_channels + channel;
                // SAFETY: the level and the sums by the caller's promise; `to` is a place of the weight.
                unsafe {
                    let mut sum = V::splat(0.0);
                    for ox in first..end {
                        let x = ox * s.stride[1] + kx - s.padding[1];
                        let x: V = read(row.picture, (y * s.width + x) * s.in_channels + channel);
                        sum = x.mul_add(read(row.dy, ox * s.in_channels + channel), sum);
                    }
                    let to = row.sums.add(to);
                    sum.add(V::load(to)).store(to);
                }
            }
        }
    }
}
