//! The linear layer and its gradients.

use avizor_kernels::conv2d::Epilogue;
use avizor_kernels::linear::{LinearForward, LinearGradInput, LinearGradWeight};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Linear {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = self.kernel_shape(site.input(0), site.input(1));
        let kernel = LinearForward::new(site.cpu, shape);
        let (name, words) = (kernel.kernel_name(), kernel.workspace());
        let kernel = match site.inputs.len() {
            2 => Kernel::with_workspace(name, words, move |cpu, call| {
                let ([x, weight], [y, workspace]) = call.slices();
                kernel.run(cpu, x, weight, Epilogue::NONE, y, workspace);
            }),
            _ => Kernel::with_workspace(name, words, move |cpu, call| {
                let ([x, weight, bias], [y, workspace]) = call.slices();
                kernel.run(cpu, x, weight, Epilogue { bias: Some(bias), ..Epilogue::NONE }, y, workspace);
            }),
        };
        kernel.counting(shape.multiply_adds())
    }
}

impl Lower for ops::LinearGradInput {
    fn lower(&self, site: &Site<'_>) -> Kernel {
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
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = ops::Linear.kernel_shape(site.input(0), site.output(0));
        let kernel = LinearGradWeight::new(site.cpu, shape);
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([x, dy], [dweight, workspace]) = call.slices();
            kernel.run(cpu, x, dy, dweight, workspace);
        })
        .counting(shape.multiply_adds())
    }
}
