//! Addition.

use avizor_kernels::elementwise::{add, add_in_place};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops;

impl Lower for ops::Add {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let len = site.output(0).elements();
        match site.overwrites {
            None => Kernel::new("add", move |cpu, call| {
                let ([left, right], [y]) = call.slices();
                add::<E>(cpu, elements(left, len), elements(right, len), elements_mut(y, len));
            }),
            Some(_) => Kernel::new("add_in_place", move |cpu, call| {
                let ([other], [y]) = call.slices();
                add_in_place::<E>(cpu, elements_mut(y, len), elements(other, len));
            }),
        }
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 1], outputs: &[0] })
    }
}
