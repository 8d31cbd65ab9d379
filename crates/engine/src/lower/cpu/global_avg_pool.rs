//! The mean of every map, and its gradient.

use avizor_kernels::pool2d::{global_avg_pool, global_avg_pool_backward};

use crate::lower::{Kernel, Lower, Site};
use crate::ops::{self, map_sizes};

impl Lower for ops::GlobalAvgPool {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let (batch, pixels, channels) = map_sizes(site.input(0));
        Kernel::new("global_avg_pool", move |cpu, call| {
            let ([x], [y]) = call.slices();
            global_avg_pool(cpu, batch, pixels, channels, x, y);
        })
    }
}

impl Lower for ops::GlobalAvgPoolGrad {
    fn lower(&self, site: &Site<'_>) -> Kernel {
        let (batch, pixels, channels) = map_sizes(site.output(0));
        Kernel::new("global_avg_pool_backward", move |cpu, call| {
            let ([dy], [dx]) = call.slices();
            global_avg_pool_backward(cpu, batch, pixels, channels, dy, dx);
        })
    }
}
