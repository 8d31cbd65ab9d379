//! A network cut into stages: what freezing and learning rates go by.

use std::collections::{BTreeMap, BTreeSet};

use avizor_engine::{Graph, Source, Trainable};

use crate::Outputs;

/// Steps of a network that have parameters, from the picture to the logits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stages {
    names: Vec<String>,
    of_parameter: BTreeMap<String, usize>,
}

impl Stages {
    /// Of a graph that holds the network as it wrote itself. A parameter is of the first of the network's
    /// [`steps`](Outputs::steps) whose result needs it.
    pub fn new(graph: &Graph, outputs: &Outputs) -> Self {
        let mut names = Vec::new();
        let mut of_parameter = BTreeMap::new();
        let mut steps = outputs.steps.iter().peekable();
        let mut is_new = true;
        for (id, node) in graph.ids() {
            while steps.next_if(|step| step.value.node < id).is_some() {
                is_new = true;
            }
            let Some(step) = steps.peek() else { break };
            for input in &node.inputs {
                let parameter = graph.node(input.node);
                let Source::Parameter(_) = parameter.source else { continue };
                if is_new {
                    names.push(step.name.clone());
                    is_new = false;
                }
                of_parameter.entry(parameter.name.clone()).or_insert(names.len() - 1);
            }
        }
        Self { names, of_parameter }
    }

    /// What the stages are called; the last one holds the head.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What the stages below the head are called: what can be frozen.
    pub fn below_head(&self) -> &[String] {
        &self.names[..self.names.len().saturating_sub(1)]
    }

    /// The parameters of a graph that learn while so many stages from the first are frozen. Scales and shifts of batch norms
    /// that came folded never do.
    pub fn trainable(&self, graph: &Graph, frozen: usize, folded_norms: bool) -> Trainable {
        let names: BTreeSet<&str> = graph.parameters().map(|(name, ..)| name).collect();
        let is_of_norm = |name: &str| {
            let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
            names.contains(format!("{layer}.running_mean").as_str())
        };
        let trained = graph.parameters().filter(|(_, _, spec)| spec.role.is_trained()).map(|(name, ..)| name);
        Trainable::where_name(trained, |name| self.of(name) >= frozen && !(folded_norms && is_of_norm(name)))
    }

    /// The stage of a parameter, from 0; that of the head for a parameter that the network does not have.
    pub fn of(&self, parameter: &str) -> usize {
        self.of_parameter.get(parameter).copied().unwrap_or(self.names.len().saturating_sub(1))
    }
}
