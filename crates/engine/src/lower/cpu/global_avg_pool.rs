//! The mean of every map, and its gradient.

use avizor_kernels::pool2d::{global_avg_pool, global_avg_pool_backward};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops::{self, map_sizes};

impl Lower for ops::GlobalAvgPool {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (batch, pixels, channels) = map_sizes(site.input(0));
        Kernel::new("global_avg_pool", move |cpu, call| {
            let ([x], [y]) = call.slices();
            global_avg_pool(cpu, batch, pixels, channels, elements::<E>(x, batch * pixels * channels), y);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[] })
    }
}

impl Lower for ops::GlobalAvgPoolGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (batch, pixels, channels) = map_sizes(site.output(0));
        Kernel::new("global_avg_pool_backward", move |cpu, call| {
            let ([dy], [dx]) = call.slices();
            let dx = elements_mut::<E>(dx, batch * pixels * channels);
            global_avg_pool_backward(cpu, batch, pixels, channels, dy, dx);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[], outputs: &[0] })
    }
}
