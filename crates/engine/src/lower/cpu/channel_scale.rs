//! Every channel times a number of its own: gates that all pictures share.

use avizor_kernels::Element;

use super::gate;
use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops::{self, channel_scale_shape};

impl Lower for ops::ChannelScale {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        gate::kernel::<E>(channel_scale_shape(site.input(0)), site)
    }

    fn maps(&self, site: &Site<'_>) -> Option<Maps> {
        ops::Gate.maps(site)
    }
}

impl Lower for ops::ChannelScaleGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        gate::gradient_kernel::<E>(channel_scale_shape(site.input(0)), site)
    }

    fn maps(&self, site: &Site<'_>) -> Option<Maps> {
        ops::GateGrad.maps(site)
    }
}
