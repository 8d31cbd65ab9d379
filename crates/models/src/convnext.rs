//! ConvNeXt: residual blocks of one wide convolution of every channel by itself and two linear layers over the channels,
//! with layer norms.
//!
//! Source: Liu et al. 2022, arXiv:2201.03545; names and starting values are torchvision's.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{DiskLayout, GraphBuilder, Initialiser, ParameterSpec, Role, Value};

use crate::layers::{ConvSpec, channels, conv, layer_norm, plain_head, require_sides};
use crate::{ModelError, NetworkOptions, Outputs, Step};

/// Settings of a ConvNeXt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvNext {
    /// Channels of the four stages.
    pub widths: [usize; 4],
    /// Their blocks.
    pub blocks: [usize; 4],
    /// Probability that training leaves out the last block; it grows with depth from zero.
    pub stochastic_depth: f32,
}

/// A stage's map has a side of a thirty-second of the picture's at last.
const LEAST: usize = 32;
/// Of all norms.
const EPS: f32 = 1e-6;
/// Of all weights. torchvision cuts the normal distribution at ±2: a hundred deviations, which no draw reaches.
const START: Initialiser = Initialiser::Normal(0.02);
/// Where branches start: they add next to nothing.
const LAYER_SCALE: f32 = 1e-6;

const MEANINGS: [&str; 4] = ["edges joined, simple shapes", "motifs", "parts", "abstract features"];

impl ConvNext {
    /// The smallest.
    pub const TINY: Self = Self { widths: [96, 192, 384, 768], blocks: [3, 3, 9, 3], stochastic_depth: 0.1 };

    /// Writes the network behind a normalised picture `[batch][height][width][3]`.
    ///
    /// # Errors
    /// When the picture is smaller than 32 × 32, the small stem is asked for or a layer does not fit.
    pub fn build(
        self,
        graph: &mut GraphBuilder,
        image: Value,
        options: &NetworkOptions,
    ) -> Result<Outputs, ModelError> {
        options.stem.only_imagenet("convnext_tiny")?;
        require_sides(graph, image, "convnext_tiny", LEAST)?;
        let mut map = conv(graph, "features.0.0", image, &ConvSpec::patches(self.widths[0], 4).starting(START))?;
        map = layer_norm(graph, "features.0.1", map, EPS)?;
        let mut steps = vec![Step::new("features.0", map, "edges, textures")];
        let last = self.blocks.iter().sum::<usize>().saturating_sub(1).max(1);
        let mut before = 0;
        for (stage, meaning) in MEANINGS.into_iter().enumerate() {
            if stage > 0 {
                map = halve(graph, &format!("features.{}", 2 * stage), map, self.widths[stage])?;
            }
            let name = format!("features.{}", 2 * stage + 1);
            for place in 0..self.blocks[stage] {
                let left_out = self.stochastic_depth * before as f32 / last as f32;
                map = block(graph, &format!("{name}.{place}"), map, left_out)?;
                before += 1;
            }
            steps.push(Step::new(name, map, meaning));
        }
        let means = graph.apply("avgpool", ops::GlobalAvgPool, &[map])?;
        let features = layer_norm(graph, "classifier.0", means, EPS)?;
        steps.push(Step::new("avgpool, classifier.0", features, "mean of every map, normalised"));
        plain_head(graph, ["classifier.dropout", "classifier.2"], features, options, START, steps)
    }
}

/// Half the size, other channels.
fn halve(graph: &mut GraphBuilder, name: &str, map: Value, out: usize) -> Result<Value, ModelError> {
    let map = layer_norm(graph, &format!("{name}.0"), map, EPS)?;
    conv(graph, &format!("{name}.1"), map, &ConvSpec::patches(out, 2).starting(START))
}

/// A convolution of every channel, a norm, channels made four times as many and brought back; all of it times a number
/// for each channel, and with a probability of being left out, beside a shortcut.
fn block(graph: &mut GraphBuilder, name: &str, input: Value, left_out: f32) -> Result<Value, ModelError> {
    let width = channels(graph, input);
    let part = |number: usize| format!("{name}.block.{number}");
    let mut map = conv(graph, &part(0), input, &ConvSpec::depthwise(width, 7, 1).starting(START))?;
    map = layer_norm(graph, &part(2), map, EPS)?;
    map = conv(graph, &part(3), map, &ConvSpec::pixelwise(4 * width).starting(START))?;
    map = graph.apply(&part(4), Unary::Gelu, &[map])?;
    map = conv(graph, &part(5), map, &ConvSpec::pixelwise(width).starting(START))?;
    let spec = ParameterSpec::plain(Initialiser::Constant(LAYER_SCALE), Role::Norm);
    let spec = ParameterSpec { layout: DiskLayout::PerChannel, ..spec };
    let scale = graph.parameter(&format!("{name}.layer_scale"), [width], spec);
    map = graph.apply(&format!("{name}.scale"), ops::ChannelScale, &[map, scale])?;
    map = graph.apply(&format!("{name}.stochastic_depth"), ops::StochasticDepth { p: left_out }, &[map])?;
    Ok(graph.apply(&format!("{name}.add"), ops::Add, &[map, input])?)
}
