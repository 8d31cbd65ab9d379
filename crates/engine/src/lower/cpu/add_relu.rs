//! Addition and ReLU, and the way back.

use avizor_kernels::elementwise::{add_relu, add_relu_backward, add_relu_backward_in_place};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops;

impl Lower for ops::AddRelu {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let len = site.output(0).elements();
        Kernel::new("add_relu", move |cpu, call| {
            let ([left, right], [y]) = call.slices();
            add_relu::<E>(cpu, elements(left, len), elements(right, len), elements_mut(y, len));
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 1], outputs: &[0] })
    }
}

impl Lower for ops::AddReluGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let len = site.output(0).elements();
        match site.overwrites {
            None => Kernel::new("add_relu_backward", move |cpu, call| {
                let (reads, [dx]) = call.slices();
                let [y, a, b] = reads.map(|map| elements::<E>(map, len));
                add_relu_backward(cpu, y, a, b, elements_mut(dx, len));
            }),
            Some(_) => Kernel::new("add_relu_backward_in_place", move |cpu, call| {
                let ([y, other], [gradient]) = call.slices();
                let [y, other] = [y, other].map(|map| elements::<E>(map, len));
                add_relu_backward_in_place(cpu, y, elements_mut(gradient, len), other);
            }),
        }
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 1, 2], outputs: &[0] })
    }
}
