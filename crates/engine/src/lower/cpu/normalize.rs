//! Pixels to numbers.

use avizor_kernels::pixels::normalize_u8;

use crate::lower::{Kernel, Lower, Site, bytes};
use crate::ops;

impl Lower for ops::Normalize {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let len = site.input(0).elements();
        let (scale, shift) = self.scale_and_shift();
        Kernel::new("normalize_u8", move |cpu, call| {
            let ([image], [y]) = call.slices();
            normalize_u8(cpu, len / 3, bytes(image, len), scale, shift, y);
        })
    }
}
