//! A fully connected network: the baseline that a convolutional one must beat.
//!
//! Parameters are named as in `torchvision.ops.MLP`, which counts linear layer, activation and dropout: `0`, `3`, `6`, …

use avizor_engine::ops::{self, Unary};
use avizor_engine::{GraphBuilder, Value};

use crate::layers::{dropout, linear, linear_after_map, sides};
use crate::{ModelError, NetworkOptions, Outputs, Step};

/// Settings of the fully connected network; the hidden sizes are [`NetworkOptions::hidden`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mlp {
    /// After every hidden layer.
    pub activation: Unary,
}

impl Mlp {
    /// With ReLU.
    pub const RELU: Self = Self { activation: Unary::Relu };

    /// Writes the network behind a normalised picture `[batch][height][width][3]`. Dropout acts after every hidden layer.
    ///
    /// # Errors
    /// When the small stem or layers of a head are asked for, or a layer does not fit.
    pub fn build(
        self,
        graph: &mut GraphBuilder,
        image: Value,
        options: &NetworkOptions,
    ) -> Result<Outputs, ModelError> {
        options.stem.only_imagenet("mlp")?;
        options.no_head("mlp", "model.hidden")?;
        let map = sides(graph, image);
        let mut features = graph.apply("flatten", ops::Flatten, &[image])?;
        let mut kept = features;
        let mut steps = vec![Step::new("flatten", features, "pixels in a row")];
        for (layer, &size) in options.hidden.iter().enumerate() {
            let dense = dense(graph, layer, kept, size, map)?;
            features = graph.apply(&(3 * layer + 1).to_string(), self.activation, &[dense])?;
            kept = dropout(graph, &(3 * layer + 2).to_string(), features, options.dropout)?;
            steps.push(Step::new(format!("dense, relu {}", layer + 1), features, "combinations of what came before"));
        }
        let last = options.hidden.len();
        let logits = dense(graph, last, kept, options.classes, map)?;
        steps.push(Step::new("dense", logits, "logits"));
        Ok(Outputs { logits, features, head: (3 * last).to_string(), plain_head: None, steps })
    }
}

/// Only the first layer reads pixels.
fn dense(
    graph: &mut GraphBuilder,
    layer: usize,
    input: Value,
    out: usize,
    map: [usize; 2],
) -> Result<Value, ModelError> {
    let name = (3 * layer).to_string();
    match layer {
        0 => linear_after_map(graph, &name, input, out, map),
        _ => linear(graph, &name, input, out),
    }
}
