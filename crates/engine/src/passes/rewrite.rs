//! How a pass changes a graph: a new one is written, node by node.

use std::convert::Infallible;
use std::sync::Arc;

use crate::graph::{Graph, Node, NodeId, Readers, Source, Value};
use crate::{GraphError, Operator};

/// A graph on its way from old to new.
pub(super) struct Rewrite<'g> {
    pub(super) old: &'g Graph,
    new: Graph,
    /// Where the values of old nodes went.
    map: Vec<Vec<Value>>,
    readers: Readers,
}

impl<'g> Rewrite<'g> {
    /// The old node whose place is being filled.
    pub(super) fn here(&self) -> NodeId {
        NodeId::new(self.map.len())
    }

    /// Says where the values of an earlier node went, whose place was left empty.
    pub(super) fn defer(&mut self, node: NodeId, values: Vec<Value>) {
        self.map[node.index()] = values;
    }

    /// The new value in an old one's place.
    pub(super) fn new_value(&self, old: Value) -> Value {
        self.map[old.node.index()][old.output]
    }

    /// The old node that gives a value, if it has this operator and nobody else reads the value.
    pub(super) fn only_for_this<O: Operator + Clone>(&self, value: Value) -> Option<(&Node, O)> {
        let node = self.giver_for_this(value)?;
        Some((node, node.operator::<O>()?.clone()))
    }

    /// The old node that gives a value, if nobody else reads the value.
    pub(super) fn giver_for_this(&self, value: Value) -> Option<&'g Node> {
        matches!(self.readers.of(value), Some([_])).then(|| self.old.node(value.node))
    }

    /// Writes a new node, whose inputs are new values, and gives its outputs.
    pub(super) fn append(
        &mut self,
        name: &str,
        operator: Arc<dyn Operator>,
        inputs: &[Value],
    ) -> Result<Vec<Value>, GraphError> {
        let node = self.new.append(name.to_owned(), operator, inputs)?;
        Ok(self.outputs(node))
    }

    fn copy(&mut self, node: &Node) -> Vec<Value> {
        let inputs = node.inputs.iter().map(|&input| self.new_value(input)).collect();
        let node = self.new.push(Node { inputs, ..node.clone() });
        self.outputs(node)
    }

    fn outputs(&self, node: NodeId) -> Vec<Value> {
        (0..self.new.node(node).outputs.len()).map(|output| Value { node, output }).collect()
    }
}

/// Writes the graph anew. `replace` is asked for every operator; it gives what stands in the place of the node's first
/// outputs, or nothing to keep the node.
pub(super) fn rewrite<E>(
    graph: &mut Graph,
    mut replace: impl FnMut(&mut Rewrite<'_>, &Node) -> Result<Option<Vec<Value>>, E>,
) -> Result<(), E> {
    let mut rewrite = Rewrite { old: graph, new: Graph::default(), map: Vec::new(), readers: graph.readers() };
    for node in &graph.nodes {
        let replaced = match node.source {
            Source::Operator(_) => replace(&mut rewrite, node)?,
            Source::Input | Source::Parameter(_) => None,
        };
        let values = replaced.unwrap_or_else(|| rewrite.copy(node));
        rewrite.map.push(values);
    }
    let outputs = graph.outputs.iter().map(|(name, value)| (name.clone(), rewrite.new_value(*value))).collect();
    let of_node = |node: NodeId| rewrite.new_value(Value::first(node)).node;
    let gradients =
        graph.gradients.iter().map(|&(parameter, value)| (of_node(parameter), rewrite.new_value(value))).collect();
    *graph = Graph { outputs, gradients, ..rewrite.new };
    Ok(())
}

/// As [`rewrite`], for patterns: `replace` gives a node's new operator and inputs. Should an operator refuse them, the
/// node stays as it is.
pub(super) fn fuse<O: Operator>(
    graph: &mut Graph,
    mut replace: impl FnMut(&mut Rewrite<'_>, &Node, &O) -> Option<Vec<Value>>,
) {
    let Ok(()) = rewrite::<Infallible>(graph, |rewrite, node| {
        Ok(node.operator::<O>().and_then(|operator| replace(rewrite, node, operator)))
    });
}
