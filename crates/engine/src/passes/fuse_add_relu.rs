//! The end of a residual block in one pass over memory.

use std::sync::Arc;

use super::rewrite::fuse;
use crate::Graph;
use crate::ops::{Add, AddRelu, Unary};

/// add → relu becomes one step, where nobody else reads the sum: in training, where the convolution before it is
/// followed by a norm.
pub(super) fn run(graph: &mut Graph) {
    fuse::<Unary>(graph, |rewrite, relu, unary| {
        if *unary != Unary::Relu {
            return None;
        }
        let (add, Add) = rewrite.only_for_this::<Add>(relu.inputs[0])?;
        let inputs: Vec<_> = add.inputs.iter().map(|&input| rewrite.new_value(input)).collect();
        rewrite.append(&relu.name, Arc::new(AddRelu), &inputs).ok()
    });
}
