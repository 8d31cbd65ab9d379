//! `max(x, 0)`.

use crate::Cpu;
use crate::parts::{PART, for_each_part};
use crate::per_level::per_level;

/// `y = max(x, 0)`. NaN stays NaN, as in PyTorch, so that a broken step is seen.
///
/// # Panics
/// When the slices are not equally long; so do all functions here.
pub fn relu(cpu: &Cpu, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "input and output are equally long");
    for_each_part(cpu, PART, [y], |range, [y]| relu_part(cpu, &x[range], y));
}

/// [`relu`], over its input.
pub fn relu_in_place(cpu: &Cpu, x_y: &mut [f32]) {
    for_each_part(cpu, PART, [x_y], |_, [x_y]| relu_in_place_part(cpu, x_y));
}

/// `dx = dy` where the output `y` is above zero, else 0.
pub fn relu_backward(cpu: &Cpu, y: &[f32], dy: &[f32], dx: &mut [f32]) {
    assert!(y.len() == dx.len() && dy.len() == dx.len(), "output and gradients are equally long");
    for_each_part(cpu, PART, [dx], |range, [dx]| relu_backward_part(cpu, &y[range.clone()], &dy[range], dx));
}

/// [`relu_backward`], over the gradient that comes in.
pub fn relu_backward_in_place(cpu: &Cpu, y: &[f32], dy_dx: &mut [f32]) {
    assert_eq!(y.len(), dy_dx.len(), "output and gradient are equally long");
    for_each_part(cpu, PART, [dy_dx], |range, [dy_dx]| relu_backward_in_place_part(cpu, &y[range], dy_dx));
}

per_level! {
    fn relu_part(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = if *x < 0.0 { 0.0 } else { *x };
        }
    }
}

per_level! {
    fn relu_in_place_part(x_y: &mut [f32]) {
        for x in x_y {
            *x = if *x < 0.0 { 0.0 } else { *x };
        }
    }
}

per_level! {
    fn relu_backward_part(y: &[f32], dy: &[f32], dx: &mut [f32]) {
        for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
            *dx = if *y <= 0.0 { 0.0 } else { *dy };
        }
    }
}

per_level! {
    fn relu_backward_in_place_part(y: &[f32], dy_dx: &mut [f32]) {
        for (d, y) in dy_dx.iter_mut().zip(y) {
            *d = if *y <= 0.0 { 0.0 } else { *d };
        }
    }
}
