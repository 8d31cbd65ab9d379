//! A depthwise convolution takes the 1×1 convolutions around it along.

use std::convert::Infallible;
use std::sync::Arc;

use super::rewrite::{Rewrite, rewrite};
use crate::Graph;
use crate::graph::{Node, Value};
use crate::ops::{Conv2d, Conv2dFused, DepthwiseBlock};

/// 1×1 → depthwise → 1×1 become one step, where nobody else reads what lies between; likewise two of them. All must
/// have a bias, as they have when their norms were folded: in training, where norms stand between them, nothing fits. Where a
/// third one follows, what the first two became is read by nobody and left out with other dead code.
pub(super) fn run(graph: &mut Graph) {
    let Ok(()) = rewrite::<Infallible>(graph, |rewrite, node| Ok(replace(rewrite, node)));
}

fn replace(rewrite: &mut Rewrite<'_>, node: &Node) -> Option<Vec<Value>> {
    let last = layer(node)?;
    let (depthwise, of_depthwise, after) = if is_pointwise(rewrite.old, node, &last) {
        let before = rewrite.giver_for_this(node.inputs[0])?;
        (before, layer(before)?, Some(node))
    } else {
        (node, last, None)
    };
    let before = rewrite.giver_for_this(depthwise.inputs[0]).filter(|before| {
        layer(before).is_some_and(|layer| !layer.residual && is_pointwise(rewrite.old, before, &layer))
    });
    if of_depthwise.residual {
        return None;
    }
    let block =
        DepthwiseBlock { before: before.and_then(layer), depthwise: of_depthwise, after: after.and_then(layer) };
    let nodes = [before, Some(depthwise), after].into_iter().flatten();
    let mut inputs = vec![before.unwrap_or(depthwise).inputs[0]];
    inputs.extend(nodes.flat_map(|node| &node.inputs[1..3]));
    inputs.extend(after.unwrap_or(depthwise).inputs.get(3));
    let types: Vec<_> = inputs.iter().map(|&input| rewrite.old.tensor_type(input)).collect();
    if !block.kernel_shape(&types).is_worth_it() {
        return None;
    }
    let inputs: Vec<_> = inputs.iter().map(|&input| rewrite.new_value(input)).collect();
    rewrite.append(&depthwise.name, Arc::new(block), &inputs).ok()
}

/// A convolution with bias, whatever follows it.
fn layer(node: &Node) -> Option<Conv2dFused> {
    let plain = || Some(Conv2dFused::plain(*node.operator::<Conv2d>()?, node.inputs.len() == 3));
    node.operator::<Conv2dFused>().copied().or_else(plain).filter(|layer| layer.bias)
}

fn is_pointwise(graph: &Graph, node: &Node, layer: &Conv2dFused) -> bool {
    let weight = graph.shape(node.inputs[1]);
    layer.conv == Conv2d::default() && weight[..2] == [1, 1]
}
