//! A graph by its definition: every operator in f64 and without haste.

use std::collections::BTreeMap;

use crate::compile::transform;
use crate::graph::{Node, Source, Value};
use crate::{CompileOptions, Graph, GraphError, Wide};

/// What a graph gives, in f64 and in memory's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Named outputs.
    pub outputs: BTreeMap<String, Vec<f64>>,
    /// Gradients of the loss, by parameter.
    pub gradients: BTreeMap<String, Vec<f64>>,
    /// New values of the parameters that operators update: running statistics.
    pub updated: BTreeMap<String, Vec<f64>>,
}

/// What a program of `graph` would compute, were its arithmetic exact: tests hold programs against it.
///
/// `values` gives inputs and parameters by name, in memory's order; integers and bytes are numbers too. Dropout's masks
/// are those of seed 0, step 0.
///
/// # Errors
/// As [`Program::compile`](crate::Program::compile).
///
/// # Panics
/// When `values` gives another number of values than the graph declares.
pub fn evaluate(
    graph: &Graph,
    options: &CompileOptions,
    values: &dyn Fn(&str) -> Vec<f64>,
) -> Result<Evaluation, GraphError> {
    let graph = transform(graph, options)?;
    let mut known: Vec<Vec<Vec<f64>>> = Vec::with_capacity(graph.nodes.len());
    let mut evaluation = Evaluation::default();
    for node in &graph.nodes {
        let Source::Operator(operator) = &node.source else {
            let given = values(&node.name);
            assert_eq!(given.len(), node.outputs[0].shape.elements(), "{}: {}", node.name, node.outputs[0]);
            known.push(vec![given]);
            continue;
        };
        let mut given = operator.reference(&inputs_of(&graph, node, &known));
        let updated = given.split_off(node.outputs.len());
        for (&input, values) in operator.updates().iter().zip(updated) {
            evaluation.updated.insert(graph.node(node.inputs[input].node).name.clone(), values);
        }
        known.push(given);
    }
    let value = |value: Value| known[value.node.index()][value.output].clone();
    evaluation.outputs = graph.outputs.iter().map(|(name, output)| (name.clone(), value(*output))).collect();
    let name = |parameter| graph.node(parameter).name.clone();
    evaluation.gradients = graph.gradients.iter().map(|&(parameter, g)| (name(parameter), value(g))).collect();
    Ok(evaluation)
}

fn inputs_of<'v>(graph: &'v Graph, node: &Node, known: &'v [Vec<Vec<f64>>]) -> Vec<Wide<'v>> {
    let wide = |&input: &Value| Wide { shape: graph.shape(input), values: &known[input.node.index()][input.output] };
    node.inputs.iter().map(wide).collect()
}
