//! The mean of every window.

use super::{Pool2dShape, WindowsAlong, inside, windows_over};
use crate::Cpu;
use crate::parts::for_each_part;
use crate::per_level::per_level;

/// `y` is the sum of every window over its number of places, those in the padding included
/// (`count_include_pad = True`, PyTorch's default), those that hang over the end not.
///
/// # Panics
/// When a slice has another length than the shape says, or padding is more than half the window.
pub fn avg_pool2d(cpu: &Cpu, shape: Pool2dShape, x: &[f32], y: &mut [f32]) {
    shape.check();
    assert!(x.len() == shape.input_len() && y.len() == shape.output_len(), "x or y does not fit {shape:?}");
    let row = shape.out_width() * shape.channels;
    if row > 0 {
        for_each_part(cpu, row, [y], |range, [y]| average_row(cpu, shape, x, range.start / row, y));
    }
}

/// Gradient of [`avg_pool2d`]; `dx` is overwritten.
///
/// # Panics
/// As [`avg_pool2d`].
pub fn avg_pool2d_backward(cpu: &Cpu, shape: Pool2dShape, dy: &[f32], dx: &mut [f32]) {
    shape.check();
    assert!(dx.len() == shape.input_len() && dy.len() == shape.output_len(), "dx or dy does not fit {shape:?}");
    let row = shape.width * shape.channels;
    if row > 0 {
        for_each_part(cpu, row, [dx], |range, [dx]| spread_row(cpu, shape, dy, range.start / row, dx));
    }
}

per_level! {
    fn average_row(shape: Pool2dShape, x: &[f32], row: usize, y: &mut [f32]) {
        let Pool2dShape { height, width, channels, kernel, stride, padding, .. } = shape;
        let (picture, row) = (row / shape.out_height(), row % shape.out_height());
        for (column, y) in y.chunks_exact_mut(channels).enumerate() {
            y.fill(0.0);
            for i in inside(row, height, kernel[0], stride[0], padding[0]) {
                for j in inside(column, width, kernel[1], stride[1], padding[1]) {
                    let at = [row * stride[0] + i - padding[0], column * stride[1] + j - padding[1]];
                    let x = &x[((picture * height + at[0]) * width + at[1]) * channels..][..channels];
                    for (y, x) in y.iter_mut().zip(x) {
                        *y += x;
                    }
                }
            }
            let share = shape.share(row, column);
            for y in y {
                *y *= share;
            }
        }
    }
}

per_level! {
    fn spread_row(shape: Pool2dShape, dy: &[f32], row: usize, dx: &mut [f32]) {
        let Pool2dShape { height, channels, kernel, stride, padding, .. } = shape;
        let (out_height, out_width) = (shape.out_height(), shape.out_width());
        let (picture, row) = (row / height, row % height);
        let rows = windows_over(row, out_height, kernel[0], stride[0], padding[0]);
        let mut columns = WindowsAlong::new(out_width, kernel[1], stride[1], padding[1]);
        for (column, dx) in dx.chunks_exact_mut(channels).enumerate() {
            dx.fill(0.0);
            columns.move_to(column);
            for i in rows.clone() {
                for j in columns.over() {
                    let dy = &dy[((picture * out_height + i) * out_width + j) * channels..][..channels];
                    let share = shape.share(i, j);
                    for (dx, dy) in dx.iter_mut().zip(dy) {
                        *dx += share * dy;
                    }
                }
            }
        }
    }
}
