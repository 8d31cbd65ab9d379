//! The end of a residual block in one pass over memory.

use std::sync::Arc;

use super::rewrite::fuse;
use crate::Graph;
use crate::ops::{Add, AddRelu, AddReluGrad, Unary, UnaryGrad};

/// add → relu becomes one step, where nobody else reads the sum: in training, where the convolution before it is
/// followed by a norm. So does, on the way back, the sum of what a block and its shortcut give with the relu before both.
pub(super) fn run(graph: &mut Graph) {
    fuse::<Unary>(graph, |rewrite, relu, unary| {
        if *unary != Unary::Relu {
            return None;
        }
        let (add, Add) = rewrite.only_for_this::<Add>(relu.inputs[0])?;
        let inputs: Vec<_> = add.inputs.iter().map(|&input| rewrite.new_value(input)).collect();
        rewrite.append(&relu.name, Arc::new(AddRelu), &inputs).ok()
    });
    fuse::<UnaryGrad>(graph, |rewrite, relu, gradient| {
        if gradient.0 != Unary::Relu {
            return None;
        }
        let (sum, Add) = rewrite.only_for_this::<Add>(relu.inputs[1])?;
        let inputs = [relu.inputs[0], sum.inputs[0], sum.inputs[1]].map(|input| rewrite.new_value(input));
        rewrite.append(&relu.name, Arc::new(AddReluGrad), &inputs).ok()
    });
}
