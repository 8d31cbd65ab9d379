//! Convolution and its gradients.

use avizor_kernels::conv2d::{Conv2dGradInput, Conv2dGradWeight};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Conv2d {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        ops::Conv2dFused::plain(*self, site.inputs.len() == 3).lower(site)
    }
}

impl Lower for ops::Conv2dGradInput {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = self.conv.kernel_shape(site.output(0), site.input(1));
        let kernel = Conv2dGradInput::with_methods(site.cpu, shape, site.conv2d_methods);
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([dy, weight], [dx, workspace]) = call.slices();
            kernel.run(cpu, dy, weight, dx, workspace);
        })
        .counting(shape.multiply_adds())
    }
}

impl Lower for ops::Conv2dGradWeight {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = self.conv.kernel_shape(site.input(0), site.output(0));
        let kernel = Conv2dGradWeight::with_methods(site.cpu, shape, site.conv2d_methods);
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([x, dy], [dweight, workspace]) = call.slices();
            kernel.run(cpu, x, dy, dweight, workspace);
        })
        .counting(shape.multiply_adds())
    }
}
