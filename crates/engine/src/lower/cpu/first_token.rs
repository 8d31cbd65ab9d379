//! The first token of every sample, and its gradient.

use avizor_kernels::Element;
use avizor_kernels::tokens::{first_token, first_token_backward};

use crate::lower::{Kernel, Lower, Site};
use crate::ops::{self, token_sizes};

impl Lower for ops::FirstToken {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (tokens, channels) = token_sizes(site.input(0));
        Kernel::new("first_token", move |_, call| {
            let ([x], [y]) = call.slices();
            first_token(tokens, channels, x, y);
        })
    }
}

impl Lower for ops::FirstTokenGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let (tokens, channels) = token_sizes(site.output(0));
        Kernel::new("first_token_backward", move |_, call| {
            let ([dy], [dx]) = call.slices();
            first_token_backward(tokens, channels, dy, dx);
        })
    }
}
