//! Maps in 16 bits.

use crate::graph::{Graph, Node, Source, Value};
use crate::plan::is_view;
use crate::{DType, TensorType};

/// Stores maps and their gradients as [`DType::Bf16`]: not those that somebody reads after the run, nor those that are
/// read under another shape. Kernels that know f32 alone get copies. Unlike a [`Pass`](super::Pass), this changes results.
pub(crate) fn narrow(graph: &mut Graph) {
    let mut stays = graph.nodes.iter().map(|node| vec![is_view(node); node.outputs.len()]).collect::<Vec<_>>();
    for node in graph.nodes.iter().filter(|node| is_view(node)) {
        node.inputs.iter().for_each(|input| stays[input.node.index()][input.output] = true);
    }
    for value in graph.kept() {
        stays[value.node.index()][value.output] = true;
    }
    let weights = weights(graph);
    for (id, node) in graph.nodes.iter_mut().enumerate() {
        if !matches!(node.source, Source::Operator(_)) {
            continue;
        }
        for (output, of) in node.outputs.iter_mut().enumerate() {
            if has_axes_of_map(of) && !stays[id][output] && !weights[id][output] {
                of.dtype = DType::Bf16;
            }
        }
    }
}

fn has_axes_of_map(of: &TensorType) -> bool {
    of.dtype == DType::F32 && of.shape.len() == 4
}

/// Which values of four axes are weights, gradients of weights, or made of nothing else.
fn weights(graph: &Graph) -> Vec<Vec<bool>> {
    let mut weights: Vec<Vec<bool>> = Vec::with_capacity(graph.nodes.len());
    for node in graph.nodes() {
        let of = match &node.source {
            Source::Parameter(_) => vec![true],
            Source::Input => vec![false],
            Source::Operator(operator) => {
                let is_made_of_weights = is_made_of(graph, node, |input| weights[input.node.index()][input.output]);
                (0..node.outputs.len()).map(|output| is_made_of_weights || !operator.gives_map(output)).collect()
            }
        };
        weights.push(of);
    }
    weights
}

fn is_made_of(graph: &Graph, node: &Node, is: impl Fn(Value) -> bool) -> bool {
    let mut inputs = node.inputs.iter().filter(|&&input| has_axes_of_map(graph.tensor_type(input))).peekable();
    inputs.peek().is_some() && inputs.all(|&input| is(input))
}
