//! Training or inference: every operator says what stands in its place.

use super::rewrite::rewrite;
use crate::graph::{Graph, Node, Source};
use crate::operator::{NodePurpose, Specialised};
use crate::{CompileOptions, FrozenNorm, GraphError};

/// Runs before differentiation, and always: the mode is not an optimisation.
pub(crate) fn specialise(graph: &mut Graph, options: &CompileOptions) -> Result<(), GraphError> {
    rewrite(graph, |rewrite, node| {
        let Source::Operator(operator) = &node.source else { return Ok(None) };
        let purpose = NodePurpose {
            mode: options.mode,
            name: &node.name,
            frozen_norm: options.frozen_norm == FrozenNorm::Running
                && all_parameters_frozen(rewrite.old, node, options),
        };
        let inputs: Vec<_> = node.inputs.iter().map(|&input| rewrite.new_value(input)).collect();
        Ok(match operator.specialise(&purpose) {
            Specialised::Same => None,
            Specialised::Other(other) => Some(rewrite.append(&node.name, other, &inputs)?),
            Specialised::Vanishes => Some(vec![inputs[0]]),
        })
    })
}

/// Whether none of the parameters that a node reads is trained.
fn all_parameters_frozen(graph: &Graph, node: &Node, options: &CompileOptions) -> bool {
    node.inputs.iter().map(|input| graph.node(input.node)).all(|input| match &input.source {
        Source::Parameter(spec) => !spec.role.is_trained() || !options.trainable.contains(&input.name),
        Source::Input | Source::Operator(_) => true,
    })
}
