//! Convolution and its gradients.

use avizor_kernels::conv2d::{Conv2dGradInput, Conv2dGradWeight};
use avizor_kernels::{Element, Precision, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops;

impl Lower for ops::Conv2d {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        ops::Conv2dFused::plain(*self, site.inputs.len() == 3).lower::<E>(site)
    }

    fn maps(&self, site: &Site<'_>) -> Option<Maps> {
        ops::Conv2dFused::plain(*self, site.inputs.len() == 3).maps(site)
    }
}

impl Lower for ops::Conv2dGradInput {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.conv.kernel_shape(site.output(0), site.input(1));
        let kernel = Conv2dGradInput::of_maps(site.cpu, shape, site.conv2d_methods, E::PRECISION);
        let kernel = kernel.expect("there is a kernel for the maps that `maps` names");
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([dy, weight], [dx, workspace]) = call.slices();
            let (dy, dx) = (elements::<E>(dy, shape.output_len()), elements_mut(dx, shape.input_len()));
            kernel.run(cpu, dy, weight, dx, workspace);
        })
        .counting(shape.multiply_adds())
    }

    fn maps(&self, site: &Site<'_>) -> Option<Maps> {
        let shape = self.conv.kernel_shape(site.output(0), site.input(1));
        let kernel = Conv2dGradInput::of_maps(site.cpu, shape, site.conv2d_methods, Precision::Bf16);
        kernel.map(|_| Maps { inputs: &[0], outputs: &[0] })
    }
}

impl Lower for ops::Conv2dGradWeight {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.conv.kernel_shape(site.input(0), site.output(0));
        let kernel = Conv2dGradWeight::of_maps(site.cpu, shape, site.conv2d_methods, E::PRECISION);
        let kernel = kernel.expect("there is a kernel for the maps that `maps` names");
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([x, dy], [dweight, workspace]) = call.slices();
            let (x, dy) = (elements::<E>(x, shape.input_len()), elements(dy, shape.output_len()));
            kernel.run(cpu, x, dy, dweight, workspace);
        })
        .counting(shape.multiply_adds())
    }

    fn maps(&self, site: &Site<'_>) -> Option<Maps> {
        let shape = self.conv.kernel_shape(site.input(0), site.output(0));
        let kernel = Conv2dGradWeight::of_maps(site.cpu, shape, site.conv2d_methods, Precision::Bf16);
        kernel.map(|_| Maps { inputs: &[0, 1], outputs: &[] })
    }
}
