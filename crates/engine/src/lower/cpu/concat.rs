//! Maps side by side, and their gradients.

use avizor_kernels::concat::{concat, split};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops;

impl Lower for ops::Concat {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let columns = [0, 1].map(|input| site.input(input).last().copied().unwrap_or(0));
        let [a_len, b_len] = [0, 1].map(|input| site.input(input).elements());
        Kernel::new("concat", move |cpu, call| {
            let ([a, b], [y]) = call.slices();
            concat::<E>(cpu, columns, elements(a, a_len), elements(b, b_len), elements_mut(y, a_len + b_len));
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 1], outputs: &[0] })
    }
}

impl Lower for ops::ConcatGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let columns = self.columns;
        let [a_len, b_len] = [0, 1].map(|output| site.output(output).elements());
        Kernel::new("split", move |cpu, call| {
            let ([dy], [da, db]) = call.slices();
            let dy = elements::<E>(dy, a_len + b_len);
            split(cpu, columns, dy, elements_mut(da, a_len), elements_mut(db, b_len));
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[0, 1] })
    }
}
