//! Dropout.

use avizor_kernels::dropout::dropout;

use crate::lower::{Kernel, Lower, Site};
use crate::ops::{self, mask_key};

impl Lower for ops::DropoutMasked {
    fn lower(&self, _site: &Site<'_>) -> Kernel {
        let Self { p, stream } = *self;
        Kernel::new("dropout", move |cpu, call| {
            let (seed, step) = call.seed_and_step;
            let key = mask_key(seed, step, stream);
            let ([x], [y]) = call.slices();
            dropout(cpu, key, p, x, y);
        })
    }
}
