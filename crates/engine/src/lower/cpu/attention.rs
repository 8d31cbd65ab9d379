//! Self-attention and its gradient.

use avizor_kernels::Element;
use avizor_kernels::attention::{attention, attention_backward, attention_backward_workspace, attention_workspace};

use crate::lower::{Kernel, Lower, Site};
use crate::ops;

impl Lower for ops::Attention {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.kernel_shape(site.input(0));
        Kernel::with_workspace("attention", attention_workspace(site.cpu, shape), move |cpu, call| {
            let ([qkv], [y, workspace]) = call.slices();
            attention(cpu, shape, qkv, y, workspace);
        })
        .counting(shape.multiply_adds())
    }
}

impl Lower for ops::AttentionGrad {
    fn lower<E: Element>(&self, site: &Site<'_>) -> Kernel {
        let shape = self.0.kernel_shape(site.input(0));
        let words = attention_backward_workspace(site.cpu, shape);
        Kernel::with_workspace("attention_backward", words, move |cpu, call| {
            let ([qkv, dy], [dqkv, workspace]) = call.slices();
            attention_backward(cpu, shape, qkv, dy, dqkv, workspace);
        })
        .counting(2 * shape.multiply_adds())
    }
}
