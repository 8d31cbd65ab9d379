//! A ReLU joins the convolution before it.

use std::sync::Arc;

use avizor_kernels::conv2d::Activation;

use super::rewrite::fuse;
use crate::Graph;
use crate::ops::{Conv2d, Conv2dFused, Unary};

/// conv → relu becomes one step, where nobody else reads the convolution. In training too: the gradient of relu reads
/// its result.
pub(super) fn run(graph: &mut Graph) {
    fuse::<Unary>(graph, |rewrite, relu, unary| {
        if *unary != Unary::Relu {
            return None;
        }
        let plain = |(node, conv)| (node, Conv2dFused::plain(conv, false));
        let (conv, fused) = match rewrite.only_for_this::<Conv2dFused>(relu.inputs[0]) {
            Some((conv, fused)) => (conv, fused),
            None => rewrite.only_for_this::<Conv2d>(relu.inputs[0]).map(plain)?,
        };
        let name = conv.name.clone();
        let inputs: Vec<_> = conv.inputs.iter().map(|&input| rewrite.new_value(input)).collect();
        let bias = inputs.len() - usize::from(fused.residual) == 3;
        rewrite.append(&name, Arc::new(Conv2dFused { bias, activation: Activation::Relu, ..fused }), &inputs).ok()
    });
}
