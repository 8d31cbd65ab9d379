//! Average pooling and its gradient.

use avizor_kernels::Element;
use avizor_kernels::pool2d::{avg_pool2d, avg_pool2d_backward};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::AvgPool2d {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.kernel_shape(site.input(0));
        Kernel::new("avg_pool2d", move |cpu, call| {
            let ([x], [y]) = call.slices();
            avg_pool2d(cpu, shape, x, y);
        })
    }
}

impl Lower for ops::AvgPool2dGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.pool.kernel_shape(site.output(0));
        Kernel::new("avg_pool2d_backward", move |cpu, call| {
            let ([dy], [dx]) = call.slices();
            avg_pool2d_backward(cpu, shape, dy, dx);
        })
    }
}
