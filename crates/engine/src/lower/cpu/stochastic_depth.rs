//! Stochastic depth.

use avizor_kernels::stochastic_depth::{stochastic_depth, stochastic_depth_in_place};

use crate::lower::{Call, Kernel, Lower, Site};
use crate::ops::{self, mask_key};

impl Lower for ops::StochasticDepthMasked {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let Self { p, stream } = *self;
        let rows = site.input(0)[0];
        let key = move |call: &Call<'_>| mask_key(call.seed_and_step.0, call.seed_and_step.1, stream);
        match site.overwrites {
            None => Kernel::new("stochastic_depth", move |cpu, call| {
                let key = key(call);
                let ([x], [y]) = call.slices();
                stochastic_depth(cpu, key, p, rows, x, y);
            }),
            Some(_) => Kernel::new("stochastic_depth_in_place", move |cpu, call| {
                let key = key(call);
                let ([], [y]) = call.slices();
                stochastic_depth_in_place(cpu, key, p, rows, y);
            }),
        }
    }
}
