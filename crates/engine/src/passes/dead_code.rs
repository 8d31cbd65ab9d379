//! Leaves out what nobody needs.

use crate::Graph;
use crate::graph::{Node, NodeId, Source, Value};

/// Keeps live operators, and all inputs and parameters: they are the graph's door.
pub(super) fn run(graph: &mut Graph) {
    let live = graph.live();
    let mut new_ids: Vec<Option<NodeId>> = Vec::with_capacity(graph.nodes.len());
    let mut nodes: Vec<Node> = Vec::new();
    let moved = |ids: &[Option<NodeId>], value: Value| {
        let node = ids[value.node.index()].expect("what a live node reads is live");
        Value { node, ..value }
    };
    for (mut node, live) in std::mem::take(&mut graph.nodes).into_iter().zip(live) {
        let stays = live || !matches!(node.source, Source::Operator(_));
        new_ids.push(stays.then(|| NodeId::new(nodes.len())));
        if stays {
            node.inputs.iter_mut().for_each(|input| *input = moved(&new_ids, *input));
            nodes.push(node);
        }
    }
    graph.nodes = nodes;
    graph.outputs.iter_mut().for_each(|(_, value)| *value = moved(&new_ids, *value));
    for (parameter, gradient) in &mut graph.gradients {
        *parameter = moved(&new_ids, Value::first(*parameter)).node;
        *gradient = moved(&new_ids, *gradient);
    }
}
