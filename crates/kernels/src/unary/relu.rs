//! `max(x, 0)`.

use crate::parts::{PART, for_each_part};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::{Cpu, Element};

per_element! {
    /// `y = max(x, 0)`. NaN stays NaN, as in PyTorch, so that a broken step is seen.
    ///
    /// # Panics
    /// When the slices are not equally long; so do all functions here.
    pub fn relu[E](cpu: &Cpu, x: &[E], y: &mut [E]) {
        assert_eq!(x.len(), y.len(), "input and output are equally long");
        for_each_part(cpu, PART, [y], |range, [y]| relu_part(cpu, &x[range], y));
    }
}

per_element! {
    /// [`relu`], over its input.
    pub fn relu_in_place[E](cpu: &Cpu, x_y: &mut [E]) {
        for_each_part(cpu, PART, [x_y], |_, [x_y]| relu_in_place_part(cpu, x_y));
    }
}

per_element! {
    /// `dx = dy` where the output `y` is above zero, else 0.
    pub fn relu_backward[E](cpu: &Cpu, y: &[E], dy: &[E], dx: &mut [E]) {
        assert!(y.len() == dx.len() && dy.len() == dx.len(), "output and gradients are equally long");
        for_each_part(cpu, PART, [dx], |range, [dx]| relu_backward_part(cpu, &y[range.clone()], &dy[range], dx));
    }
}

per_element! {
    /// [`relu_backward`], over the gradient that comes in.
    pub fn relu_backward_in_place[E](cpu: &Cpu, y: &[E], dy_dx: &mut [E]) {
        assert_eq!(y.len(), dy_dx.len(), "output and gradient are equally long");
        for_each_part(cpu, PART, [dy_dx], |range, [dy_dx]| relu_backward_in_place_part(cpu, &y[range], dy_dx));
    }
}

per_level! {
    fn relu_part[E: Element](x: &[E], y: &mut [E]) {
        for (y, x) in y.iter_mut().zip(x) {
            let number = x.to_f32();
            *y = E::from_f32(if number < 0.0 { 0.0 } else { number });
        }
    }
}

per_level! {
    fn relu_in_place_part[E: Element](x_y: &mut [E]) {
        for x in x_y {
            let number = x.to_f32();
            *x = E::from_f32(if number < 0.0 { 0.0 } else { number });
        }
    }
}

per_level! {
    fn relu_backward_part[E: Element](y: &[E], dy: &[E], dx: &mut [E]) {
        for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
            *dx = if y.to_f32() <= 0.0 { E::default() } else { *dy };
        }
    }
}

per_level! {
    fn relu_backward_in_place_part[E: Element](y: &[E], dy_dx: &mut [E]) {
        // By way of a small copy: "zero or what is there" becomes masked stores, which are three times slower.
        let mut copy = [E::default(); 1024];
        for (y, dy_dx) in y.chunks(copy.len()).zip(dy_dx.chunks_mut(copy.len())) {
            let dy = &mut copy[..dy_dx.len()];
            dy.copy_from_slice(dy_dx);
            for ((dx, y), dy) in dy_dx.iter_mut().zip(y).zip(dy) {
                *dx = if y.to_f32() <= 0.0 { E::default() } else { *dy };
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
