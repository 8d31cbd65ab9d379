//! Convolution with an epilogue.

use avizor_kernels::conv2d::{Conv2dForward, Epilogue};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Conv2dFused {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let shape = self.conv.kernel_shape(site.input(0), site.input(1));
        let kernel = Conv2dForward::with_methods(site.cpu, shape, site.conv2d_methods);
        let (name, words, activation) = (kernel.kernel_name(), kernel.workspace(), self.activation);
        let kernel = match (self.bias, self.residual) {
            (false, false) => Kernel::with_workspace(name, words, move |cpu, call| {
                let ([x, weight], [y, workspace]) = call.slices();
                kernel.run(cpu, x, weight, Epilogue { bias: None, residual: None, activation }, y, workspace);
            }),
            (true, false) => Kernel::with_workspace(name, words, move |cpu, call| {
                let ([x, weight, bias], [y, workspace]) = call.slices();
                kernel.run(cpu, x, weight, Epilogue { bias: Some(bias), residual: None, activation }, y, workspace);
            }),
            (false, true) => Kernel::with_workspace(name, words, move |cpu, call| {
                let ([x, weight, residual], [y, workspace]) = call.slices();
                let epilogue = Epilogue { bias: None, residual: Some(residual), activation };
                kernel.run(cpu, x, weight, epilogue, y, workspace);
            }),
            (true, true) => Kernel::with_workspace(name, words, move |cpu, call| {
                let ([x, weight, bias, residual], [y, workspace]) = call.slices();
                let epilogue = Epilogue { bias: Some(bias), residual: Some(residual), activation };
                kernel.run(cpu, x, weight, epilogue, y, workspace);
            }),
        };
        kernel.counting(shape.multiply_adds())
    }
}
