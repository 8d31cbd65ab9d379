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
        // By way of a small copy: "zero or what is there" becomes masked stores, which are three times slower.
        let mut copy = [0.0; 1024];
        for (y, dy_dx) in y.chunks(copy.len()).zip(dy_dx.chunks_mut(copy.len())) {
            let dy = &mut copy[..dy_dx.len()];
            dy.copy_from_slice(dy_dx);
            for ((dx, y), dy) in dy_dx.iter_mut().zip(y).zip(dy) {
                *dx = if *y <= 0.0 { 0.0 } else { *dy };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{LENGTHS, assert_agrees, everywhere, exact, noise};
    use crate::reference;
    use crate::unary::Unary;

    #[test]
    fn all_four_agree_with_the_references() {
        for &len in LENGTHS {
            let (x, dy) = (noise(len, 7), noise(len, 8));
            let [y, in_place, dx, dx_in_place] = everywhere("relu", |cpu| {
                let (mut y, mut in_place) = (vec![f32::NAN; len], x.clone());
                relu(cpu, &x, &mut y);
                relu_in_place(cpu, &mut in_place);
                let (mut dx, mut dx_in_place) = (vec![f32::NAN; len], dy.clone());
                relu_backward(cpu, &y, &dy, &mut dx);
                relu_backward_in_place(cpu, &y, &mut dx_in_place);
                [y, in_place, dx, dx_in_place]
            });
            assert_eq!((&y, &dx), (&in_place, &dx_in_place));
            assert_agrees("relu", &y, &reference::unary_forward(Unary::Relu, &exact(&x)));
            assert_agrees("relu", &dx, &reference::unary_backward(Unary::Relu, &exact(&x), &exact(&dy)));
        }
    }

    #[test]
    fn nan_stays_and_zero_stops_the_gradient() {
        let [y, dx] = everywhere("ends", |cpu| {
            let (mut y, mut dx) = (vec![f32::NAN, f32::NEG_INFINITY, f32::INFINITY, -0.0, 0.0], vec![1.0; 5]);
            relu_in_place(cpu, &mut y);
            relu_backward_in_place(cpu, &y, &mut dx);
            [y, dx]
        });
        assert!(y[0].is_nan());
        assert_eq!(y[1..], [0.0, f32::INFINITY, 0.0, 0.0]);
        assert_eq!(dx, [1.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
