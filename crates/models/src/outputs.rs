//! What a network leaves in the graph.

use avizor_engine::{GraphBuilder, Value};

use crate::head::dense_head;
use crate::layers::{dropout, linear};
use crate::{ModelError, NetworkOptions, fusion};

/// The values of a network that others ask for.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// `[batch][classes]`.
    pub logits: Value,
    /// `[batch][features]`: what the head reads, before dropout. Where that is a convolution, maps of them.
    pub features: Value,
    /// Name of the head: of the last layer, whose parameters are `{head}.weight` and `{head}.bias`, or of the sequence of
    /// [layers](NetworkOptions::head) in its place, whose parameters are `{head}.0.weight` and so on.
    pub head: String,
    /// The head with the dropout before it, where nothing else stands between it and the features and nothing before them
    /// draws by chance: features of a picture behind a frozen backbone are then the same every time.
    pub plain_head: Option<PlainHead>,
    /// The network in a few steps, from first to last, the logits' step included.
    pub steps: Vec<Step>,
}

impl Outputs {
    /// Whether a parameter belongs to the head, which depends on the classes; the others do not.
    pub fn is_head(&self, parameter: &str) -> bool {
        parameter.strip_prefix(self.head.as_str()).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// A head that can be put on features that were made before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlainHead {
    /// A layer, or the sequence of layers in its place.
    Layer {
        /// Name of the dropout before it, which decides what that draws.
        dropout: String,
        /// Its name: [`Outputs::head`].
        layer: String,
    },
    /// All that [`fuse`](crate::fuse) writes: features are joined with metadata, which it reads anew.
    Fused,
}

impl PlainHead {
    pub(crate) fn new(dropout: impl Into<String>, layer: impl Into<String>) -> Self {
        Self::Layer { dropout: dropout.into(), layer: layer.into() }
    }

    /// Writes it behind features. Its parameters are the network's, and it draws what the network's dropout does.
    ///
    /// # Errors
    /// When it does not fit the features.
    pub fn build(
        &self,
        graph: &mut GraphBuilder,
        features: Value,
        options: &NetworkOptions,
    ) -> Result<Value, ModelError> {
        match self {
            Self::Layer { layer, .. } if !options.head.is_empty() => dense_head(graph, layer, features, options),
            Self::Layer { dropout: name, layer } => {
                let kept = dropout(graph, name, features, options.dropout)?;
                linear(graph, layer, kept, options.classes)
            }
            Self::Fused => fusion::behind(graph, features, options),
        }
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
