//! The linear layer and its gradients.

use avizor_kernels::Element;
use avizor_kernels::linear::{LinearForward, LinearGradInput, LinearGradWeight};

use super::conv2d_fused::{Operands, keeping_weight, kernel};
use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Linear {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.kernel_shape(site.input(0), site.input(1));
        let plan = LinearForward::new(site.cpu, shape);
        let operands = Operands { bias: site.inputs.len() == 3, residual: false, activation: None };
        let lens = [site.input(0).elements(), site.output(0).elements()];
        let words = plan.workspace();
        let kernel =
            kernel::<f32>(plan.kernel_name(), words, operands, lens, move |cpu, x, weight, epilogue, y, ws| {
                plan.run(cpu, x, weight, epilogue, y, ws);
            });
        keeping_weight::<f32>(kernel, plan.packed(), site, operands, lens).counting(shape.multiply_adds())
    }
}

impl Lower for ops::LinearGradInput {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = ops::Linear.kernel_shape(site.output(0), site.input(1));
        let kernel = LinearGradInput::new(site.cpu, shape);
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([dy, weight], [dx, workspace]) = call.slices();
            kernel.run(cpu, dy, weight, dx, workspace);
        })
        .counting(shape.multiply_adds())
    }
}

impl Lower for ops::LinearGradWeight {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = ops::Linear.kernel_shape(site.input(0), site.output(0));
        let kernel = LinearGradWeight::new(site.cpu, shape);
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([x, dy], [dweight, workspace]) = call.slices();
            kernel.run(cpu, x, dy, dweight, workspace);
        })
        .counting(shape.multiply_adds())
    }
}
