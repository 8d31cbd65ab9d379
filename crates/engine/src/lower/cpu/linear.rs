//! The linear layer and its gradients.

use avizor_kernels::conv2d::Epilogue;
use avizor_kernels::linear::{LinearForward, LinearGradInput, LinearGradWeight};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Linear {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let kernel = LinearForward::new(site.cpu, self.kernel_shape(site.input(0), site.input(1)));
        let (name, words) = (kernel.kernel_name(), kernel.workspace());
        match site.inputs.len() {
            2 => Kernel::with_workspace(name, words, move |cpu, call| {
                let ([x, weight], [y, workspace]) = call.slices();
                kernel.run(cpu, x, weight, Epilogue::NONE, y, workspace);
            }),
            _ => Kernel::with_workspace(name, words, move |cpu, call| {
                let ([x, weight, bias], [y, workspace]) = call.slices();
                kernel.run(cpu, x, weight, Epilogue { bias: Some(bias), ..Epilogue::NONE }, y, workspace);
            }),
        }
    }
}

impl Lower for ops::LinearGradInput {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let kernel = LinearGradInput::new(site.cpu, ops::Linear.kernel_shape(site.output(0), site.input(1)));
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([dy, weight], [dx, workspace]) = call.slices();
            kernel.run(cpu, dy, weight, dx, workspace);
        })
    }
}

impl Lower for ops::LinearGradWeight {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let kernel = LinearGradWeight::new(site.cpu, ops::Linear.kernel_shape(site.input(0), site.output(0)));
        Kernel::with_workspace(kernel.kernel_name(), kernel.workspace(), move |cpu, call| {
            let ([x, dy], [dweight, workspace]) = call.slices();
            kernel.run(cpu, x, dy, dweight, workspace);
        })
    }
}
