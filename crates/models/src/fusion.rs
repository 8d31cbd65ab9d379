//! A picture's features joined with what is known beside it, its metadata.
//!
//! Late fusion by concatenation: the metadata go through a small fully connected branch, what comes out stands beside the
//! features, and a fully connected head reads both. Names are those of two `torch.nn.Sequential`s: `meta` of linear layers and
//! ReLUs (`meta.0`, `meta.2`, …), `head` of linear layers, ReLUs and dropouts (`head.0`, `head.3`, …; without a hidden layer
//! dropout acts on the joined numbers and the last layer is `head.0`). Starting values are PyTorch's.

use avizor_base::Preprocess;
use avizor_engine::ops::{self, Unary};
use avizor_engine::{DType, GraphBuilder, Value};

use crate::head::dense_head;
use crate::layers::{dropout, linear};
use crate::{
    MetadataOptions, MetadataRole, ModelError, Network, NetworkOptions, Outputs, PlainHead, Step, image_input,
};

/// Declares what the network reads, "image" (see [`image_input`]) and "metadata" (f32, `[batch][numbers]`) as the options say,
/// and writes it behind that. Names no output: the caller does.
///
/// # Errors
/// When the picture is too small or a layer does not fit; the text names it.
pub fn build_network(
    graph: &mut GraphBuilder,
    network: &Network,
    options: &NetworkOptions,
    preprocess: &Preprocess,
    batch: usize,
) -> Result<Outputs, ModelError> {
    match &options.metadata {
        Some(metadata) if metadata.role == MetadataRole::Alone => alone(graph, metadata, options, batch),
        Some(_) => {
            let image = image_input(graph, batch, preprocess)?;
            // The layers of the head come behind the join: below it, networks are asked for none.
            let below = NetworkOptions { head: Vec::new(), ..options.clone() };
            let outputs = network.build(graph, image, &below)?;
            fuse(graph, outputs, options)
        }
        None => {
            let image = image_input(graph, batch, preprocess)?;
            network.build(graph, image, options)
        }
    }
}

/// Puts a branch for metadata and a joint head behind a network's features, in place of its own head; what the network is
/// where there are no metadata.
///
/// # Errors
/// When a layer does not fit.
pub fn fuse(graph: &mut GraphBuilder, network: Outputs, options: &NetworkOptions) -> Result<Outputs, ModelError> {
    if options.metadata.is_none() {
        return Ok(network);
    }
    let Outputs { features, plain_head, mut steps, .. } = network;
    graph.forget_after(features);
    steps.retain(|step| step.value.node <= features.node);
    let logits = behind(graph, features, options)?;
    steps.push(Step::new("meta, head", logits, "joined with metadata: logits"));
    // Features that were constant are so still; what stands behind them is another head.
    let plain_head = plain_head.map(|_| PlainHead::Fused);
    Ok(Outputs { logits, features, head: HEAD.to_owned(), plain_head, steps })
}

/// The branch of the metadata and the head, without any picture.
fn alone(
    graph: &mut GraphBuilder,
    metadata: &MetadataOptions,
    options: &NetworkOptions,
    batch: usize,
) -> Result<Outputs, ModelError> {
    let features = branch(graph, metadata, batch)?;
    let logits = head(graph, features, options)?;
    let steps = vec![Step::new("meta, head", logits, "logits")];
    Ok(Outputs { logits, features, head: HEAD.to_owned(), plain_head: None, steps })
}

/// Logits from features, whose maps become their means, and metadata.
pub(crate) fn behind(graph: &mut GraphBuilder, features: Value, options: &NetworkOptions) -> Result<Value, ModelError> {
    let Some(metadata) = &options.metadata else { unreachable!("a fused head is that of options with metadata") };
    let features = match graph.shape(features).len() {
        4 => graph.apply("join.avgpool", ops::GlobalAvgPool, &[features])?,
        _ => features,
    };
    let batch = graph.shape(features).first().copied().unwrap_or(0);
    let branch = branch(graph, metadata, batch)?;
    let joined = graph.apply("join", ops::Concat, &[features, branch])?;
    head(graph, joined, options)
}

/// The metadata after their own layers.
fn branch(graph: &mut GraphBuilder, metadata: &MetadataOptions, batch: usize) -> Result<Value, ModelError> {
    let mut value = graph.input("metadata", DType::F32, [batch, metadata.width]);
    for (layer, &size) in metadata.hidden.iter().enumerate() {
        let dense = linear(graph, &format!("meta.{}", 2 * layer), value, size)?;
        value = graph.apply(&format!("meta.{}", 2 * layer + 1), Unary::Relu, &[dense])?;
    }
    Ok(value)
}

fn head(graph: &mut GraphBuilder, value: Value, options: &NetworkOptions) -> Result<Value, ModelError> {
    let dropped = if options.head.is_empty() { options.dropout } else { 0.0 };
    let kept = dropout(graph, "join.dropout", value, dropped)?;
    dense_head(graph, HEAD, kept, options)
}

/// Name of the head.
const HEAD: &str = "head";
