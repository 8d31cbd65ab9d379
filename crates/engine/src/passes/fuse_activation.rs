//! An activation joins the convolution before it.

use std::sync::Arc;

use super::rewrite::fuse;
use crate::Graph;
use crate::ops::{Conv2d, Conv2dFused, Unary};

/// conv → activation becomes one step, where nobody else reads the convolution. In training too, where the gradient of
/// the activation reads its result.
pub(super) fn run(graph: &mut Graph) {
    fuse::<Unary>(graph, |rewrite, activation, &f| {
        let plain = |(node, conv)| (node, Conv2dFused::plain(conv, false));
        let (conv, fused) = match rewrite.only_for_this::<Conv2dFused>(activation.inputs[0]) {
            Some((conv, fused)) => (conv, fused),
            None => rewrite.only_for_this::<Conv2d>(activation.inputs[0]).map(plain)?,
        };
        if fused.activation.is_some() {
            return None;
        }
        let name = conv.name.clone();
        let inputs: Vec<_> = conv.inputs.iter().map(|&input| rewrite.new_value(input)).collect();
        let bias = inputs.len() - usize::from(fused.residual) == 3;
        rewrite.append(&name, Arc::new(Conv2dFused { bias, activation: Some(f), ..fused }), &inputs).ok()
    });
}
