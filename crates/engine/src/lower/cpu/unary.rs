//! Functions of one number, and their gradients.

use avizor_kernels::unary::{Unary, relu_backward_in_place, unary_backward, unary_forward, unary_forward_in_place};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops;

impl Lower for Unary {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (f, len) = (*self, site.output(0).elements());
        match site.overwrites {
            None => Kernel::new("unary", move |cpu, call| {
                let ([x], [y]) = call.slices();
                unary_forward::<E>(cpu, f, elements(x, len), elements_mut(y, len));
            }),
            Some(_) => Kernel::new("unary_in_place", move |cpu, call| {
                let ([], [y]) = call.slices();
                unary_forward_in_place::<E>(cpu, f, elements_mut(y, len));
            }),
        }
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[0] })
    }
}

impl Lower for ops::UnaryGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (f, len) = (self.0, site.output(0).elements());
        match site.overwrites {
            None => Kernel::new("unary_backward", move |cpu, call| {
                let (reads, [dx]) = call.slices();
                let [saved, dy] = reads.map(|map| elements::<E>(map, len));
                unary_backward(cpu, f, saved, dy, elements_mut(dx, len));
            }),
            // Only relu's gradient says that it may overwrite.
            Some(_) => Kernel::new("relu_backward_in_place", move |cpu, call| {
                let ([y], [gradient]) = call.slices();
                relu_backward_in_place::<E>(cpu, elements(y, len), elements_mut(gradient, len));
            }),
        }
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 1], outputs: &[0] })
    }
}
