//! Dropout and stochastic depth.

use avizor_kernels::dropout::dropout;
use avizor_kernels::stochastic_depth::{stochastic_depth, stochastic_depth_in_place};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Call, Kernel, Lower, Maps, Site};
use crate::ops::{self, Masking, mask_key};

impl Lower for ops::Masked {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let Self { of, p, stream } = *self;
        let (count, len) = (of.count(site.input(0)), site.input(0).elements());
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
                stochastic_depth::<E>(cpu, key, p, count, elements(x, len), elements_mut(y, len));
            }),
            (Masking::Samples, Some(_)) => Kernel::new("stochastic_depth_in_place", move |cpu, call| {
                let key = key(call);
                let ([], [y]) = call.slices();
                stochastic_depth_in_place::<E>(cpu, key, p, count, elements_mut(y, len));
            }),
        }
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        (self.of == Masking::Samples).then_some(Maps { inputs: &[0], outputs: &[0] })
    }
}
