//! Convolution by its definition.

use std::ops::Range;

use crate::conv2d::Conv2dShape;

/// `y = conv(x, weight)`: `[batch][out_height][out_width][out_channels]`.
pub fn conv2d_forward(shape: &Conv2dShape, x: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; shape.output_len()];
    for_each_product(shape, |x_at, weight_at, y_at| y[y_at] += x[x_at] * weight[weight_at]);
    y
}

/// The gradient of the input from that of the output.
pub fn conv2d_grad_input(shape: &Conv2dShape, dy: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; shape.input_len()];
    for_each_product(shape, |x_at, weight_at, y_at| dx[x_at] += dy[y_at] * weight[weight_at]);
    dx
}

/// The gradient of the weight from that of the output.
pub fn conv2d_grad_weight(shape: &Conv2dShape, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let mut dweight = vec![0.0; shape.weight_len()];
    for_each_product(shape, |x_at, weight_at, y_at| dweight[weight_at] += x[x_at] * dy[y_at]);
    dweight
}

/// Calls `each(x, weight, y)` with the places of every product that the convolution sums.
fn for_each_product(shape: &Conv2dShape, mut each: impl FnMut(usize, usize, usize)) {
    let s = shape;
    let (out_height, out_width) = (s.out_height(), s.out_width());
    let (group_in, group_out) = (s.in_channels / s.groups, s.out_channels / s.groups);
    for n in 0..s.batch {
        for oy in 0..out_height {
            for ox in 0..out_width {
                for ky in inside(oy * s.stride[0], s.padding[0], s.kernel[0], s.height) {
                    for kx in inside(ox * s.stride[1], s.padding[1], s.kernel[1], s.width) {
                        let (iy, ix) = (oy * s.stride[0] + ky - s.padding[0], ox * s.stride[1] + kx - s.padding[1]);
                        let pixel = (n * s.height + iy) * s.width + ix;
                        for k in 0..s.out_channels {
                            let y_at = ((n * out_height + oy) * out_width + ox) * s.out_channels + k;
                            for c in 0..group_in {
                                let x_at = pixel * s.in_channels + k / group_out * group_in + c;
                                each(x_at, ((ky * s.kernel[1] + kx) * group_in + c) * s.out_channels + k, y_at);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The taps of a kernel that starts at `start - padding` which lie inside `0..len`.
fn inside(start: usize, padding: usize, kernel: usize, len: usize) -> Range<usize> {
    padding.saturating_sub(start).min(kernel)..(len + padding).saturating_sub(start).min(kernel)
}
