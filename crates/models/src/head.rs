//! What a user puts between a network's features and its logits.
//!
//! Where [`NetworkOptions::head`] lists nothing, that is dropout and the last layer, as the network was published. Where it
//! lists sizes, a `torch.nn.Sequential` stands in the last layer's place, of dense layers of these sizes, each followed by
//! ReLU and dropout, and of the last one: what was `fc` becomes `fc.0`, `fc.3` and so on. Starting values are PyTorch's, and the
//! dropout before the old layer goes with it.

use avizor_engine::ops::Unary;
use avizor_engine::{GraphBuilder, Value};

use crate::layers::{channels, dropout, linear};
use crate::{ModelError, NetworkOptions};

/// Weights that a head may have: beyond, no memory is taken.
const MOST_WEIGHTS: usize = 1 << 28;

/// The dense layers that the options list and the last one, as the parts of a sequence of this name.
///
/// # Errors
/// When it would be too large, or does not fit.
pub(crate) fn dense_head(
    graph: &mut GraphBuilder,
    name: &str,
    features: Value,
    options: &NetworkOptions,
) -> Result<Value, ModelError> {
    let mut read = channels(graph, features);
    let mut weights = 0_usize;
    for &size in options.head.iter().chain([&options.classes]) {
        weights = weights.saturating_add(read.saturating_mul(size));
        read = size;
    }
    if weights > MOST_WEIGHTS {
        return Err(ModelError::HeadTooLarge { weights, most: MOST_WEIGHTS });
    }
    let part = |number: usize| format!("{name}.{number}");
    let mut value = features;
    for (layer, &size) in options.head.iter().enumerate() {
        let dense = linear(graph, &part(3 * layer), value, size)?;
        let active = graph.apply(&part(3 * layer + 1), Unary::Relu, &[dense])?;
        value = dropout(graph, &part(3 * layer + 2), active, options.dropout)?;
    }
    linear(graph, &part(last_place(options)), value, options.classes)
}

/// What a network's last step is called, given its dropout's name there and its last layer's.
pub(crate) fn step_name(dropout: &str, layer: &str, options: &NetworkOptions) -> String {
    match last_place(options) {
        0 if options.dropout > 0.0 => format!("{dropout}, {layer}"),
        0 => layer.to_owned(),
        last => format!("{layer}.0-{last}"),
    }
}

/// Where the last layer stands in the sequence.
fn last_place(options: &NetworkOptions) -> usize {
    3 * options.head.len()
}
