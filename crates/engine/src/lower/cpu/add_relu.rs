//! Addition and ReLU, and the way back.

use avizor_kernels::elementwise::{add_relu, add_relu_backward, add_relu_backward_in_place};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::AddRelu {
    fn lower(&self, _site: &Site<'_>) -> Kernel {
        Kernel::new("add_relu", |cpu, call| {
            let ([left, right], [y]) = call.slices();
            add_relu(cpu, left, right, y);
        })
    }
}

impl Lower for ops::AddReluGrad {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        match site.overwrites {
            None => Kernel::new("add_relu_backward", |cpu, call| {
                let ([y, a, b], [dx]) = call.slices();
                add_relu_backward(cpu, y, a, b, dx);
            }),
            Some(_) => Kernel::new("add_relu_backward_in_place", |cpu, call| {
                let ([y, other], [gradient]) = call.slices();
                add_relu_backward_in_place(cpu, y, gradient, other);
            }),
        }
    }
}
