//! Tokens of patches, and their gradients.

use avizor_kernels::Element;
use avizor_kernels::tokens::{tokens, tokens_backward, tokens_backward_workspace};

use crate::lower::{Kernel, Lower, Site};
use crate::ops::{self, tokens_shape};

impl Lower for ops::Tokens {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = tokens_shape(site.output(0));
        Kernel::new("tokens", move |cpu, call| {
            let ([patches, class, positions], [y]) = call.slices();
            tokens(cpu, shape, patches, class, positions, y);
        })
    }
}

impl Lower for ops::TokensGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = tokens_shape(site.input(0));
        Kernel::with_workspace("tokens_backward", tokens_backward_workspace(shape), move |cpu, call| {
            let ([dy], [dx, dclass, dpositions, workspace]) = call.slices();
            tokens_backward(cpu, shape, dy, dx, dclass, dpositions, workspace);
        })
    }
}
