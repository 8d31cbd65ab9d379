//! Max pooling and its gradient.

use avizor_kernels::pool2d::{max_pool2d, max_pool2d_backward};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site, bytes, bytes_mut};
use crate::ops;

impl Lower for ops::MaxPool2d {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.kernel_shape(site.input(0));
        let len = site.output(1).elements();
        if site.is_read[1] {
            Kernel::new("max_pool2d_choices", move |cpu, call| {
                let ([x], [y, choices]) = call.slices();
                let (x, y) = (elements::<E>(x, shape.input_len()), elements_mut(y, len));
                max_pool2d(cpu, shape, x, y, Some(bytes_mut(choices, len)));
            })
        } else {
            Kernel::new("max_pool2d", move |cpu, call| {
                let ([x], [y, _]) = call.slices();
                max_pool2d(cpu, shape, elements::<E>(x, shape.input_len()), elements_mut(y, len), None);
            })
        }
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[0] })
    }
}

impl Lower for ops::MaxPool2dGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.pool.kernel_shape(site.output(0));
        let len = site.input(0).elements();
        Kernel::new("max_pool2d_backward", move |cpu, call| {
            let ([choices, dy], [dx]) = call.slices();
            let (dy, dx) = (elements::<E>(dy, len), elements_mut(dx, shape.input_len()));
            max_pool2d_backward(cpu, shape, bytes(choices, len), dy, dx);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[1], outputs: &[0] })
    }
}
