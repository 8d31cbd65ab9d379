//! Multiplication by one number.

use avizor_kernels::Element;
use avizor_kernels::elementwise::scale;

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Scale {
    fn lower<E: Element>(&self, _site: &Site<'_>) -> Kernel {
        Kernel::new("scale", |cpu, call| {
            let ([x, factor], [y]) = call.slices();
            scale(cpu, factor[0], x, y);
        })
    }
}
