//! Softmax.

use avizor_kernels::Element;
use avizor_kernels::loss::softmax;

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Softmax {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (rows, classes) = (site.input(0)[0], site.input(0)[1]);
        Kernel::new("softmax", move |cpu, call| {
            let ([logits], [probabilities]) = call.slices();
            softmax(cpu, rows, classes, logits, probabilities);
        })
    }
}
