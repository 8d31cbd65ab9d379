//! What a network leaves in the graph.

use avizor_engine::Value;

/// The values of a network that others ask for.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// `[batch][classes]`.
    pub logits: Value,
    /// `[batch][features]`: what the last layer reads, before dropout.
    pub features: Value,
    /// Name of the last layer; its parameters are `{head}.weight` and `{head}.bias`.
    pub head: String,
    /// Whether that layer follows the features with nothing but its dropout between, and no other dropout comes before:
    /// behind a frozen backbone, features of a picture are then the same every time.
    pub plain_head: bool,
    /// The network in a few steps, from first to last, the logits' step included.
    pub steps: Vec<Step>,
}

impl Outputs {
    /// Whether a parameter belongs to the last layer: it depends on the classes, the others do not.
    pub fn is_head(&self, parameter: &str) -> bool {
        parameter.strip_prefix(self.head.as_str()).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// A stage of a network, worth a row in its explanation and a grid of its maps.
#[derive(Clone, Debug)]
pub struct Step {
    /// The layers it comprises: "conv1, bn1, relu".
    pub name: String,
    /// What comes out of it.
    pub value: Value,
    /// What it does, in a few words; may be empty.
    pub meaning: &'static str,
}

impl Step {
    pub(crate) fn new(name: impl Into<String>, value: Value, meaning: &'static str) -> Self {
        Self { name: name.into(), value, meaning }
    }
}
