//! Which values share a buffer: views, and results that overwrite what nobody reads any more.

use crate::graph::{Graph, Node, NodeId, Source, Value};
use crate::operator::Storage;

/// Which memory a buffer is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// The parameter of this node.
    Parameter(NodeId),
    /// The gradient of this node's parameter.
    Gradient(NodeId),
    /// The program's own: inputs, outputs, and what depends on parameters alone. Never shared.
    Program,
    /// Shared by buffers that do not live at the same time.
    Arena,
}

/// Memory for one or more values, from the node that first writes it to the last that reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
    pub(crate) words: usize,
    pub(crate) home: Home,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// The buffers of a graph.
#[derive(Debug)]
pub(crate) struct Buffers {
    pub(crate) buffers: Vec<Buffer>,
    /// `of[node][output]`.
    of: Vec<Vec<usize>>,
    /// For each node the input that its first output overwrites.
    pub(crate) overwrites: Vec<Option<usize>>,
    /// Whether a node depends on parameters alone.
    pub(crate) constant: Vec<bool>,
}

/// Read after the run.
const FOREVER: usize = usize::MAX;

impl Buffers {
    /// Decides for all values, in the order of the nodes.
    pub(crate) fn plan(graph: &Graph, in_place: bool) -> Self {
        let last_reads = last_reads(graph);
        let mut plan = Self { buffers: Vec::new(), of: Vec::new(), overwrites: Vec::new(), constant: Vec::new() };
        for (id, node) in graph.ids() {
            plan.constant.push(plan.is_constant(graph, node));
            plan.overwrites.push(plan.overwritten_input(graph, id, in_place));
            let mut of = Vec::with_capacity(node.outputs.len());
            for (output, &last_read) in last_reads[id.index()].iter().enumerate() {
                of.push(plan.buffer_for(graph, Value { node: id, output }, last_read));
            }
            plan.of.push(of);
        }
        plan
    }

    /// The buffer of a value.
    pub(crate) fn index_of(&self, value: Value) -> usize {
        self.of[value.node.index()][value.output]
    }

    /// An existing buffer where a value shares one, else a new one.
    fn buffer_for(&mut self, graph: &Graph, value: Value, last_read: usize) -> usize {
        let node = graph.node(value.node);
        let step = value.node.index();
        let shared = match value.output {
            0 if is_view(node) => Some(node.inputs[0]),
            0 => self.overwrites[step].map(|input| node.inputs[input]),
            _ => None,
        };
        if let Some(shared) = shared.map(|input| self.index_of(input)) {
            let buffer = &mut self.buffers[shared];
            buffer.last = buffer.last.max(last_read);
            if buffer.last == FOREVER && buffer.home == Home::Arena {
                buffer.home = Home::Program;
            }
            return shared;
        }
        let home = match &node.source {
            Source::Parameter(_) => Home::Parameter(value.node),
            Source::Input => Home::Program,
            Source::Operator(_) => match gradient_of(graph, value) {
                Some(parameter) => Home::Gradient(parameter),
                None if last_read == FOREVER || self.constant[step] => Home::Program,
                None => Home::Arena,
            },
        };
        let last = last_read.max(step);
        self.buffers.push(Buffer { words: node.outputs[value.output].words(), home, first: step, last });
        self.buffers.len() - 1
    }

    /// The input that a node's first output may overwrite: in the arena, of equal size, read here for the last time,
    /// and only once.
    fn overwritten_input(&self, graph: &Graph, id: NodeId, in_place: bool) -> Option<usize> {
        let node = graph.node(id);
        let Source::Operator(operator) = &node.source else { return None };
        let Storage::InPlace(candidates) = operator.storage() else { return None };
        let is_gradient = gradient_of(graph, Value::first(id)).is_some();
        if !in_place || is_gradient || self.constant[id.index()] {
            return None;
        }
        candidates.iter().copied().find(|&candidate| {
            let index = self.index_of(node.inputs[candidate]);
            let buffer = self.buffers[index];
            let readers = node.inputs.iter().filter(|&&input| self.index_of(input) == index).count();
            buffer.home == Home::Arena
                && buffer.last <= id.index()
                && readers == 1
                && buffer.words == node.outputs[0].words()
        })
    }

    fn is_constant(&self, graph: &Graph, node: &Node) -> bool {
        matches!(node.source, Source::Operator(_))
            && !node.updates_statistics()
            && node.inputs.iter().all(|&input| self.depends_on_parameters_alone(graph, input))
    }

    /// Whether a value is a parameter, or computed from nothing else.
    pub(crate) fn depends_on_parameters_alone(&self, graph: &Graph, value: Value) -> bool {
        matches!(graph.node(value.node).source, Source::Parameter(_)) || self.constant[value.node.index()]
    }
}

pub(crate) fn is_view(node: &Node) -> bool {
    matches!(&node.source, Source::Operator(operator) if operator.storage() == Storage::View)
}

fn gradient_of(graph: &Graph, value: Value) -> Option<NodeId> {
    graph.gradients.iter().find(|(_, gradient)| *gradient == value).map(|(parameter, _)| *parameter)
}

/// The last node that reads each value, `FOREVER` for outputs.
fn last_reads(graph: &Graph) -> Vec<Vec<usize>> {
    let mut last: Vec<Vec<usize>> = graph.nodes.iter().map(|node| vec![0; node.outputs.len()]).collect();
    for (id, node) in graph.ids() {
        for input in &node.inputs {
            last[input.node.index()][input.output] = id.index();
        }
    }
    for &(_, value) in &graph.outputs {
        last[value.node.index()][value.output] = FOREVER;
    }
    last
}
