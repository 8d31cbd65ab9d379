//! The graph: nodes in topological order, each with the types of what it gives.

use std::fmt;
use std::sync::Arc;

use crate::{GraphError, Operands, Operator, ParameterSpec, Shape, TensorType};

/// Index of a node in its own graph; a node depends only on smaller ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("a graph of four milliard nodes fits no memory"))
    }

    /// Position in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One output of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// The node that gives it.
    pub node: NodeId,
    /// Which of its outputs.
    pub output: usize,
}

impl Value {
    pub(crate) fn first(node: NodeId) -> Self {
        Self { node, output: 0 }
    }
}

/// Where a node's values come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Written by the caller before a run.
    Input,
    /// Kept in the [`State`](crate::State).
    Parameter(ParameterSpec),
    /// Computed.
    Operator(Arc<dyn Operator>),
}

/// A named step of the graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// From the network: "layer1.0.conv2"; of a parameter, torchvision's or timm's: "layer1.0.conv2.weight".
    pub name: String,
    /// Where its values come from.
    pub source: Source,
    /// What it reads; empty but for operators.
    pub inputs: Vec<Value>,
    /// Types of what it gives.
    pub outputs: Vec<TensorType>,
}

impl Node {
    /// "conv2d", or "input" or "parameter".
    pub fn kind(&self) -> &'static str {
        match &self.source {
            Source::Input => "input",
            Source::Parameter(_) => "parameter",
            Source::Operator(operator) => operator.kind(),
        }
    }

    pub(crate) fn updates_statistics(&self) -> bool {
        matches!(&self.source, Source::Operator(operator) if !operator.updates().is_empty())
    }

    /// The operator, as the type that the caller hopes for.
    pub(crate) fn operator<O: Operator>(&self) -> Option<&O> {
        match &self.source {
            Source::Operator(operator) => (operator.as_ref() as &dyn std::any::Any).downcast_ref(),
            _ => None,
        }
    }
}

/// Nodes in topological order, with named inputs, parameters and outputs.
///
/// Shapes, the batch's size included, are fixed when it is built. It says nothing of devices, and of training only what
/// [autodiff](crate::CompileOptions) added: ordinary nodes, and which values are the gradients of which parameters.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) outputs: Vec<(String, Value)>,
    /// The parameter's node and its gradient, each gradient a value of its own.
    pub(crate) gradients: Vec<(NodeId, Value)>,
}

impl Graph {
    /// All nodes; a node's inputs come before it.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node by its id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// All nodes with their ids.
    pub fn ids(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId::new(index), node))
    }

    /// Parameters in the order of their declaration: name, shape in memory, what is known of them.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Shape, &ParameterSpec)> {
        self.nodes.iter().filter_map(|node| match &node.source {
            Source::Parameter(spec) => Some((node.name.as_str(), &node.outputs[0].shape, spec)),
            _ => None,
        })
    }

    /// Inputs in the order of their declaration.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &TensorType)> {
        let inputs = self.nodes.iter().filter(|node| matches!(node.source, Source::Input));
        inputs.map(|node| (node.name.as_str(), &node.outputs[0]))
    }

    /// Named outputs in the order of their declaration.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, Value)> {
        self.outputs.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The value of a named output.
    ///
    /// # Errors
    /// When no output has this name.
    pub fn output(&self, name: &str) -> Result<Value, GraphError> {
        self.outputs().find(|(have, _)| *have == name).map(|(_, value)| value).ok_or_else(|| GraphError::Unknown {
            what: "output",
            name: name.to_owned(),
            available: self.outputs().map(|(name, _)| name).collect::<Vec<_>>().join(", "),
        })
    }

    /// Type of a value.
    pub fn tensor_type(&self, value: Value) -> &TensorType {
        &self.node(value.node).outputs[value.output]
    }

    /// Shape of a value.
    pub fn shape(&self, value: Value) -> &Shape {
        &self.tensor_type(value).shape
    }

    /// Appends a node; its operator is asked for the types.
    pub(crate) fn append(
        &mut self,
        name: String,
        operator: Arc<dyn Operator>,
        inputs: &[Value],
    ) -> Result<NodeId, GraphError> {
        let types: Vec<TensorType> = inputs.iter().map(|&value| self.tensor_type(value).clone()).collect();
        let outputs = match operator.outputs(Operands::new(operator.operands(), &types)) {
            Ok(outputs) => outputs,
            Err(source) => return Err(GraphError::Node { node: name, source: Box::new(source) }),
        };
        Ok(self.push(Node { name, source: Source::Operator(operator), inputs: inputs.to_vec(), outputs }))
    }

    pub(crate) fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId::new(self.nodes.len() - 1)
    }

    /// Whether a node is needed: for an output, for a gradient, or because it updates statistics.
    pub(crate) fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        for value in self.kept() {
            live[value.node.index()] = true;
        }
        for (index, node) in self.nodes.iter().enumerate().rev() {
            live[index] |= node.updates_statistics();
            if live[index] {
                node.inputs.iter().for_each(|input| live[input.node.index()] = true);
            }
        }
        live
    }

    /// Who reads each value.
    pub(crate) fn readers(&self) -> Readers {
        let empty = |node: &Node| vec![Some(Vec::new()); node.outputs.len()];
        let mut readers = Readers(self.nodes.iter().map(empty).collect());
        let live = self.live();
        for (id, node) in self.ids().filter(|(id, _)| live[id.index()]) {
            for input in &node.inputs {
                if let Some(of) = readers.of_mut(*input) {
                    of.push(id);
                }
            }
        }
        for value in self.kept() {
            readers.0[value.node.index()][value.output] = None;
        }
        readers
    }

    /// Values that somebody reads after a run.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Value> {
        self.outputs.iter().map(|(_, value)| *value).chain(self.gradients.iter().map(|(_, value)| *value))
    }
}

/// The live nodes that read each value.
#[derive(Debug)]
pub(crate) struct Readers(Vec<Vec<Option<Vec<NodeId>>>>);

impl Readers {
    /// In the order of the nodes, one that reads it twice twice; `None` for a value that is read after the run.
    pub(crate) fn of(&self, value: Value) -> Option<&[NodeId]> {
        self.0[value.node.index()][value.output].as_deref()
    }

    pub(crate) fn is_read(&self, value: Value) -> bool {
        self.of(value).is_none_or(|readers| !readers.is_empty())
    }

    fn of_mut(&mut self, value: Value) -> Option<&mut Vec<NodeId>> {
        self.0[value.node.index()][value.output].as_mut()
    }
}

/// A line a node: name, operator, types of its outputs.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for node in &self.nodes {
            let outputs: Vec<String> = node.outputs.iter().map(ToString::to_string).collect();
            let inputs: Vec<&str> = node.inputs.iter().map(|value| self.node(value.node).name.as_str()).collect();
            writeln!(f, "{} = {}({}) : {}", node.name, node.kind(), inputs.join(", "), outputs.join(", "))?;
        }
        Ok(())
    }
}
