//! What follows a batch norm in training joins its pass over memory.

use std::convert::Infallible;
use std::sync::Arc;

use super::dead_code;
use super::rewrite::{Rewrite, rewrite};
use crate::Graph;
use crate::graph::{NodeId, Readers, Value};
use crate::ops::{Add, AddRelu, BatchNorm, BatchNormFused, BatchNormGrad, Unary, UnaryGrad};

/// norm → activation, norm + residual and norm + residual → relu become one step, where nobody else reads the norm. The
/// gradient of an activation alone joins that of the norm, which finds the activation's argument again: neither it nor
/// its gradient is ever written.
pub(super) fn run(graph: &mut Graph) {
    // What other passes left behind would read what is no longer there.
    dead_code::run(graph);
    let chains = find(graph);
    let Ok(()) = rewrite::<Infallible>(graph, |rewrite, _| {
        let here = rewrite.here();
        Ok(chains.iter().find_map(|chain| chain.replace(rewrite, here)))
    });
}

/// Steps that become one, and the two of the way back that become one.
struct Chain {
    norm: NodeId,
    end: NodeId,
    residual: Option<Value>,
    activation: Option<Unary>,
    gradients: Option<[NodeId; 2]>,
}

impl Chain {
    /// What stands in the place of a node: nothing for those whose work another does.
    fn replace(&self, rewrite: &mut Rewrite<'_>, here: NodeId) -> Option<Vec<Value>> {
        let [of_activation, of_norm] = self.gradients.unwrap_or([self.end; 2]);
        if here == self.norm {
            // Written where the chain ends: the residual may come later than the norm.
            Some(Vec::new())
        } else if here == self.end {
            let norm = rewrite.old.node(self.norm);
            let operator = *norm.operator::<BatchNorm>()?;
            let inputs: Vec<_> = norm.inputs.iter().chain(&self.residual).map(|&old| rewrite.new_value(old)).collect();
            let fused =
                BatchNormFused { norm: operator, residual: self.residual.is_some(), activation: self.activation };
            let outputs = rewrite.append(&norm.name, Arc::new(fused), &inputs);
            let outputs = outputs.expect("the shapes are those of the nodes that it stands for");
            let result = outputs[0];
            rewrite.defer(self.norm, outputs);
            Some(vec![result])
        } else if here == of_activation {
            Some(Vec::new())
        } else if here == of_norm {
            let (norm, activation) = (rewrite.old.node(of_norm), rewrite.old.node(of_activation));
            let mut inputs = norm.inputs.clone();
            inputs[1] = activation.inputs[1];
            let inputs: Vec<_> = inputs.iter().map(|&old| rewrite.new_value(old)).collect();
            let gradient = BatchNormGrad { activation: self.activation };
            let outputs = rewrite.append(&norm.name, Arc::new(gradient), &inputs);
            Some(outputs.expect("the shapes are those of the nodes that it stands for"))
        } else {
            None
        }
    }
}

/// The chains of a graph. Where two norms meet in a sum, the later one takes it.
fn find(graph: &Graph) -> Vec<Chain> {
    let readers = graph.readers();
    let mut chains: Vec<Chain> = Vec::new();
    for (id, node) in graph.ids().collect::<Vec<_>>().into_iter().rev() {
        if node.operator::<BatchNorm>().is_none() {
            continue;
        }
        let Some(chain) = chain(graph, &readers, id) else { continue };
        if chains.iter().all(|other| other.end != chain.end) {
            chains.push(chain);
        }
    }
    chains
}

fn chain(graph: &Graph, readers: &Readers, norm: NodeId) -> Option<Chain> {
    let value = Value::first(norm);
    let of_value = readers.of(value)?;
    let end = *of_value.iter().min()?;
    let node = graph.node(end);
    if node.operator::<Add>().is_some() || node.operator::<AddRelu>().is_some() {
        let residual = *node.inputs.iter().find(|&&input| input != value)?;
        let activation = node.operator::<AddRelu>().map(|_| Unary::Relu);
        return (of_value.len() == 1).then_some(Chain {
            norm,
            end,
            residual: Some(residual),
            activation,
            gradients: None,
        });
    }
    let activation = *node.operator::<Unary>()?;
    let gradients = gradients(graph, readers, norm, end);
    // Whoever else reads the norm's result must be gone when the chain is one.
    let others = of_value.iter().filter(|&&reader| reader != end && gradients.is_none_or(|[first, _]| first != reader));
    (others.count() == 0).then_some(Chain { norm, end, residual: None, activation: Some(activation), gradients })
}

/// The gradients of an activation and of the norm before it, if nobody else reads the first.
fn gradients(graph: &Graph, readers: &Readers, norm: NodeId, activation: NodeId) -> Option<[NodeId; 2]> {
    let saved = [Value::first(norm), Value::first(activation)];
    let of_activation = saved.into_iter().filter_map(|value| readers.of(value)).flatten().copied().find(|&reader| {
        let node = graph.node(reader);
        node.operator::<UnaryGrad>().is_some() && saved.contains(&node.inputs[0])
    })?;
    let [of_norm] = readers.of(Value::first(of_activation))?[..] else { return None };
    let node = graph.node(of_norm);
    let is_of_norm = node.operator::<BatchNormGrad>().is_some()
        && node.inputs[1] == Value::first(of_activation)
        && node.inputs[3].node == norm;
    is_of_norm.then_some([of_activation, of_norm])
}
