//! Addition and ReLU.

use avizor_kernels::elementwise::add_relu;

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::AddRelu {
    fn lower(&self, _site: &Site<'_>) -> Kernel {
        Kernel::new("add_relu", |cpu, call| {
            let ([left, right], [y]) = call.slices();
            add_relu(cpu, left, right, y);
        })
    }
}
