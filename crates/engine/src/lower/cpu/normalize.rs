//! Pixels to numbers.

use avizor_kernels::pixels::normalize_u8;
use avizor_kernels::{Element, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site, bytes};
use crate::ops;

impl Lower for ops::Normalize {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let len = site.input(0).elements();
        let (scale, shift) = self.scale_and_shift();
        Kernel::new("normalize_u8", move |cpu, call| {
            let ([image], [y]) = call.slices();
            normalize_u8(cpu, len / 3, bytes(image, len), scale, shift, elements_mut::<E>(y, len));
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[], outputs: &[0] })
    }
}
