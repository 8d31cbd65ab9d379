//! Gradients as more nodes of the same graph.

use std::sync::Arc;

use crate::graph::{Node, NodeId, Source};
use crate::{Graph, GraphError, Operator, Shape, Storage, Trainable, Value, ops};

/// Appends the nodes that compute the gradient of the output `loss` for every trainable parameter it depends on.
///
/// Values that no trainable parameter stands before get no gradient: nothing is computed for the picture, nor for a
/// frozen prefix. Where a value is read several times its gradients are added, in the order of the reverse walk.
///
/// # Errors
/// When there is no such output, when it is not one number, or when an operator on the way has no gradient.
pub(crate) fn differentiate(graph: &mut Graph, loss: &str, trainable: &Trainable) -> Result<(), GraphError> {
    let root = graph.output(loss)?;
    if graph.shape(root).elements() != 1 {
        return Err(GraphError::NotScalar { name: loss.to_owned(), shape: graph.shape(root).clone() });
    }
    let forward = graph.nodes.len();
    let needed = nodes_that_need_gradients(graph, trainable);
    // By node: the gradient of its first output, which is the only one that can have any.
    let mut gradients: Vec<Option<Value>> = vec![None; forward];
    let seed = ops::Fill { value: 1.0, shape: graph.shape(root).clone() };
    if needed[root.node.index()] {
        let one = graph.append(format!("{loss}/one"), Arc::new(seed), &[])?;
        gradients[root.node.index()] = Some(Value::first(one));
    }
    for node in (0..forward).rev() {
        let Some(gradient) = gradients[node] else { continue };
        let id = NodeId::new(node);
        let Source::Operator(operator) = graph.node(id).source.clone() else { continue };
        let wanted = graph.node(id).inputs.iter().map(|input| needed[input.node.index()]).collect();
        let mut site = GradientSite { graph, node: id, gradient, wanted, given: Vec::new() };
        operator.gradient(&mut site)?;
        for (input, part) in site.given {
            let value = graph.node(id).inputs[input];
            let sum = match gradients[value.node.index()] {
                None => part,
                Some(sum) => accumulate(graph, value, sum, part)?,
            };
            gradients[value.node.index()] = Some(sum);
        }
    }
    claim_parameter_gradients(graph, &gradients)
}

/// Whether a trainable parameter stands before each node, or is it.
fn nodes_that_need_gradients(graph: &Graph, trainable: &Trainable) -> Vec<bool> {
    let mut needed: Vec<bool> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        needed.push(match &node.source {
            Source::Input => false,
            Source::Parameter(spec) => spec.role.is_trained() && trainable.contains(&node.name),
            // What comes out beside the first output is saved for the way back; nothing is differentiated through it.
            Source::Operator(_) => node.inputs.iter().any(|input| input.output == 0 && needed[input.node.index()]),
        });
    }
    needed
}

fn accumulate(graph: &mut Graph, of: Value, sum: Value, part: Value) -> Result<Value, GraphError> {
    let name = format!("{}/sum", graph.node(of.node).name);
    Ok(Value::first(graph.append(name, Arc::new(ops::Add), &[sum, part])?))
}

/// Gives every parameter a gradient value of its own: it will lie where the optimizer looks for it.
fn claim_parameter_gradients(graph: &mut Graph, gradients: &[Option<Value>]) -> Result<(), GraphError> {
    for (node, gradient) in gradients.iter().enumerate() {
        let id = NodeId::new(node);
        let (Source::Parameter(_), Some(mut gradient)) = (&graph.node(id).source, *gradient) else { continue };
        let is_taken = graph.gradients.iter().any(|&(_, taken)| taken == gradient);
        let is_view = match &graph.node(gradient.node).source {
            Source::Operator(operator) => operator.storage() == Storage::View,
            Source::Input | Source::Parameter(_) => true,
        };
        if is_taken || is_view {
            let name = format!("{}/copy", graph.node(id).name);
            gradient = Value::first(graph.append(name, Arc::new(ops::Copy), &[gradient])?);
        }
        graph.gradients.push((id, gradient));
    }
    Ok(())
}

/// Where an operator adds its gradient: the node, the gradient of its first output, and which inputs want one.
#[derive(Debug)]
pub struct GradientSite<'g> {
    graph: &'g mut Graph,
    node: NodeId,
    gradient: Value,
    wanted: Vec<bool>,
    given: Vec<(usize, Value)>,
}

impl GradientSite<'_> {
    /// The gradient of the node's first output.
    pub fn gradient(&self) -> Value {
        self.gradient
    }

    /// An input of the node.
    pub fn input(&self, index: usize) -> Value {
        self.here().inputs[index]
    }

    /// An output of the node.
    pub fn output(&self, index: usize) -> Value {
        Value { node: self.node, output: index }
    }

    /// Shape of an input.
    pub fn input_shape(&self, index: usize) -> Shape {
        self.graph.shape(self.input(index)).clone()
    }

    /// Whether somebody needs the gradient of an input. One that the node does not have is not wanted.
    pub fn wants(&self, input: usize) -> bool {
        self.wanted.get(input).copied().unwrap_or(false)
    }

    /// Adds a node and gives its outputs.
    ///
    /// # Errors
    /// When the operator does not accept the inputs: a bug of the gradient that asks.
    pub fn apply(&mut self, operator: impl Operator, inputs: &[Value]) -> Result<Vec<Value>, GraphError> {
        let name = format!("{}/{}", self.here().name, operator.kind());
        let node = self.graph.append(name, Arc::new(operator), inputs)?;
        Ok((0..self.graph.node(node).outputs.len()).map(|output| Value { node, output }).collect())
    }

    /// Says that the gradient of an input is this value. Ignored where nobody wants it.
    pub fn give(&mut self, input: usize, value: Value) {
        if self.wants(input) {
            self.given.push((input, value));
        }
    }

    /// If an input wants a gradient: it is the first output of a new node.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn compute(&mut self, input: usize, operator: impl Operator, inputs: &[Value]) -> Result<(), GraphError> {
        if self.wants(input) {
            let outputs = self.apply(operator, inputs)?;
            self.give(input, outputs[0]);
        }
        Ok(())
    }

    /// The refusal of an operator without gradient.
    pub fn no_gradient(&self) -> GraphError {
        GraphError::NoGradient { node: self.here().name.clone(), kind: self.here().kind() }
    }

    fn here(&self) -> &Node {
        self.graph.node(self.node)
    }
}
