//! A copy.

use avizor_kernels::Element;
use avizor_kernels::elementwise::copy;

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Copy {
    fn lower<E: Element>(&self, _site: &Site<'_>) -> Kernel {
        Kernel::new("copy", |cpu, call| {
            let ([x], [y]) = call.slices();
            copy(cpu, x, y);
        })
    }
}
