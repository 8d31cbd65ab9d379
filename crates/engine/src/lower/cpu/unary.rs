//! Functions of one number, and their gradients.

use avizor_kernels::unary::{Unary, relu_backward_in_place, unary_backward, unary_forward, unary_forward_in_place};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for Unary {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let f = *self;
        match site.overwrites {
            None => Kernel::new("unary", move |cpu, call| {
                let ([x], [y]) = call.slices();
                unary_forward(cpu, f, x, y);
            }),
            Some(_) => Kernel::new("unary_in_place", move |cpu, call| {
                let ([], [y]) = call.slices();
                unary_forward_in_place(cpu, f, y);
            }),
        }
    }
}

impl Lower for ops::UnaryGrad {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let f = self.0;
        match site.overwrites {
            None => Kernel::new("unary_backward", move |cpu, call| {
                let ([saved, dy], [dx]) = call.slices();
                unary_backward(cpu, f, saved, dy, dx);
            }),
            // Only relu's gradient says that it may overwrite.
            Some(_) => Kernel::new("relu_backward_in_place", |cpu, call| {
                let ([y], [gradient]) = call.slices();
                relu_backward_in_place(cpu, y, gradient);
            }),
        }
    }
}
