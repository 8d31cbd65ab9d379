//! Dropout and stochastic depth.

use avizor_kernels::dropout::dropout;
use avizor_kernels::stochastic_depth::{stochastic_depth, stochastic_depth_in_place};

use crate::lower::{Call, Kernel, Lower, Site};
use crate::ops::{self, Masking, mask_key};

impl Lower for ops::Masked {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let Self { of, p, stream } = *self;
        let count = of.count(site.input(0));
        let key = move |call: &Call<'_>| mask_key(call.seed_and_step.0, call.seed_and_step.1, stream);
        match (of, site.overwrites) {
            (Masking::Numbers, _) => Kernel::new("dropout", move |cpu, call| {
                let key = key(call);
                let ([x], [y]) = call.slices();
                dropout(cpu, key, p, x, y);
            }),
            (Masking::Samples, None) => Kernel::new("stochastic_depth", move |cpu, call| {
                let key = key(call);
                let ([x], [y]) = call.slices();
                stochastic_depth(cpu, key, p, count, x, y);
            }),
            (Masking::Samples, Some(_)) => Kernel::new("stochastic_depth_in_place", move |cpu, call| {
                let key = key(call);
                let ([], [y]) = call.slices();
                stochastic_depth_in_place(cpu, key, p, count, y);
            }),
        }
    }
}
