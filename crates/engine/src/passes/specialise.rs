//! Training or inference: every operator says what stands in its place.

use super::rewrite::rewrite;
use crate::graph::{Graph, Node, Source};
use crate::operator::{NodePurpose, Specialised};
use crate::{CompileOptions, FrozenNorm, GraphError};

/// Runs before differentiation, and always: the mode is not an optimisation.
pub(crate) fn specialise(graph: &mut Graph, options: &CompileOptions) -> Result<(), GraphError> {
    let is_learning = learning(graph, options);
    rewrite(graph, |rewrite, node| {
        let Source::Operator(operator) = &node.source else { return Ok(None) };
        let fixes = options.frozen_norm == FrozenNorm::Running;
        let purpose = NodePurpose {
            mode: options.mode,
            name: &node.name,
            frozen_norm: fixes && all_parameters_frozen(rewrite.old, node, options),
            is_fixed: fixes && !is_learning[rewrite.here().index()],
        };
        let inputs: Vec<_> = node.inputs.iter().map(|&input| rewrite.new_value(input)).collect();
        Ok(match operator.specialise(&purpose) {
            Specialised::Same => None,
            Specialised::Other(other) => Some(rewrite.append(&node.name, other, &inputs)?),
            Specialised::Vanishes => Some(vec![inputs[0]]),
        })
    })
}

/// Of every node, whether a trained parameter has a part in what it gives.
fn learning(graph: &Graph, options: &CompileOptions) -> Vec<bool> {
    let mut is_learning: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        is_learning.push(match &node.source {
            Source::Parameter(spec) => spec.role.is_trained() && options.trainable.contains(&node.name),
            Source::Input | Source::Operator(_) => node.inputs.iter().any(|input| is_learning[input.node.index()]),
        });
    }
    is_learning
}

/// Whether none of the parameters that a node reads is trained.
fn all_parameters_frozen(graph: &Graph, node: &Node, options: &CompileOptions) -> bool {
    node.inputs.iter().map(|input| graph.node(input.node)).all(|input| match &input.source {
        Source::Parameter(spec) => !spec.role.is_trained() || !options.trainable.contains(&input.name),
        Source::Input | Source::Operator(_) => true,
    })
}
