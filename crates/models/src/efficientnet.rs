//! EfficientNet: light residual blocks with squeeze-and-excitation, scaled in width and depth.
//!
//! Source: Tan and Le 2019, arXiv:1905.11946; names, rounding and starting values are torchvision's, as are the norms'
//! eps of 1e-5 and momentum of 0.1 (the first implementation had 1e-3 and 0.01).

use avizor_engine::ops::{self, Unary};
use avizor_engine::{GraphBuilder, Initialiser, Value};

use crate::layers::{ConvSpec, channels, classifier, conv_norm};
use crate::light_blocks::{LightBlock, Stage, light_blocks, scaled_channels, squeeze_excitation, stage};
use crate::{ModelError, NetworkOptions, Outputs, Stem, Step};

/// Settings of an EfficientNet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EfficientNet {
    /// Channels, for each of B0's; rounded to multiples of 8.
    pub width: f64,
    /// Blocks, for each of B0's; rounded up.
    pub depth: f64,
    /// Probability that training leaves out a block, were there one behind the last; it grows with depth from zero.
    pub stochastic_depth: f32,
}

/// Those of B0.
pub(crate) const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 16, 1),
    stage(6, 3, 2, 24, 2),
    stage(6, 5, 2, 40, 2),
    stage(6, 3, 2, 80, 3),
    stage(6, 5, 1, 112, 3),
    stage(6, 5, 2, 192, 4),
    stage(6, 3, 1, 320, 1),
];

/// Channels of B0's first convolution.
pub(crate) const FIRST: usize = 32;

impl EfficientNet {
    /// The smallest.
    pub const B0: Self = Self::scaled(1.0, 1.0);
    /// Deeper.
    pub const B1: Self = Self::scaled(1.0, 1.1);
    /// Wider and deeper.
    pub const B2: Self = Self::scaled(1.1, 1.2);
    /// Wider and deeper still.
    pub const B3: Self = Self::scaled(1.2, 1.4);

    const fn scaled(width: f64, depth: f64) -> Self {
        Self { width, depth, stochastic_depth: 0.2 }
    }

    /// Writes the network behind a normalised picture `[batch][height][width][3]`.
    ///
    /// # Errors
    /// When a layer does not fit; the text names it.
    pub fn build(
        self,
        graph: &mut GraphBuilder,
        image: Value,
        options: &NetworkOptions,
    ) -> Result<Outputs, ModelError> {
        let first_stride = if options.stem == Stem::Small { 1 } else { 2 };
        let first = ConvSpec::bare(scaled_channels(FIRST, self.width), 3, first_stride);
        let mut map = conv_norm(graph, "features.0", image, &first, Some(Unary::Silu))?;
        let mut steps = vec![Step::new("features.0", map, "edges, textures")];
        let blocks = light_blocks(STAGES.map(|stage| scaled_stage(stage, self.width, self.depth)), options.stem, false);
        for block in &blocks {
            let left_out = self.stochastic_depth * block.before as f32 / blocks.len() as f32;
            let name = format!("features.{}", block.stage);
            map = gated_residual(graph, &format!("{name}.{}", block.place), map, block, left_out)?;
            if let Some(meaning) = block.completes {
                steps.push(Step::new(name, map, meaning));
            }
        }
        let name = format!("features.{}", STAGES.len() + 1);
        let last = ConvSpec::bare(4 * channels(graph, map), 1, 1);
        map = conv_norm(graph, &name, map, &last, Some(Unary::Silu))?;
        steps.push(Step::new(name, map, "combinations of them"));
        // Uniform in ±1/√classes, as torchvision has it.
        classifier(graph, map, options, Initialiser::UniformFanIn(options.classes), steps)
    }
}

/// A stage of B0 made wider and deeper.
pub(crate) fn scaled_stage(of_b0: Stage, width: f64, depth: f64) -> Stage {
    let blocks = (of_b0.blocks as f64 * depth).ceil() as usize;
    Stage { out: scaled_channels(of_b0.out, width), blocks, ..of_b0 }
}

/// Expansion, convolution of every channel, gates, projection; a shortcut where nothing changes its shape, and then a
/// probability of being left out.
fn gated_residual(
    graph: &mut GraphBuilder,
    name: &str,
    input: Value,
    block: &LightBlock,
    left_out: f32,
) -> Result<Value, ModelError> {
    let (mut map, layer) = block.widened(graph, &format!("{name}.block"), input, Unary::Silu)?;
    let squeezed = (channels(graph, input) / 4).max(1);
    let functions = [Unary::Silu, Unary::Sigmoid];
    map = squeeze_excitation(graph, &format!("{name}.block.{layer}"), map, squeezed, functions)?;
    let projection = ConvSpec::bare(block.out, 1, 1);
    map = conv_norm(graph, &format!("{name}.block.{}", layer + 1), map, &projection, None)?;
    if block.keeps_shape(graph, input) {
        let dropping = ops::StochasticDepth { p: left_out };
        map = graph.apply(&format!("{name}.stochastic_depth"), dropping, &[map])?;
        map = graph.apply(&format!("{name}.add"), ops::Add, &[map, input])?;
    }
    Ok(map)
}
