//! Layer normalisation and its gradient.

use avizor_kernels::layer_norm::{layer_norm, layer_norm_backward, layer_norm_backward_workspace};
use avizor_kernels::{Element, elements, elements_mut};

use crate::lower::{Kernel, Lower, Maps, Site};
use crate::ops::{self, layer_norm_shape};

impl Lower for ops::LayerNorm {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (shape, eps) = (layer_norm_shape(site.input(0)), self.eps);
        Kernel::new("layer_norm", move |cpu, call| {
            let ([x, gamma, beta], [y]) = call.slices();
            let (x, y) = (elements::<E>(x, shape.len()), elements_mut(y, shape.len()));
            layer_norm(cpu, shape, x, gamma, beta, eps, y);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0], outputs: &[0] })
    }
}

impl Lower for ops::LayerNormGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (shape, eps) = (layer_norm_shape(site.input(0)), self.eps);
        Kernel::with_workspace("layer_norm_backward", layer_norm_backward_workspace(shape), move |cpu, call| {
            let ([x, dy, gamma], [dx, dgamma, dbeta, workspace]) = call.slices();
            let [x, dy] = [x, dy].map(|map| elements::<E>(map, shape.len()));
            let dx = elements_mut(dx, shape.len());
            layer_norm_backward(cpu, shape, x, dy, gamma, eps, dx, dgamma, dbeta, workspace);
        })
    }

    fn maps(&self, _site: &Site<'_>) -> Option<Maps> {
        Some(Maps { inputs: &[0, 1], outputs: &[0] })
    }
}
