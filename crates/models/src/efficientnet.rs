//! EfficientNet: light residual blocks with squeeze-and-excitation, scaled in width and depth.
//!
//! Source: Tan and Le 2019, arXiv:1905.11946; names, rounding and starting values are torchvision's, as are the norms'
//! eps of 1e-5 and momentum of 0.1 (the first implementation had 1e-3 and 0.01).

use avizor_engine::ops::{self, Unary};
use avizor_engine::{DiskLayout, GraphBuilder, Initialiser, ParameterSpec, Value};

use crate::layers::{ConvSpec, channels, classifier, conv_norm, linear_starting};
use crate::mobilenet_v2::MEANINGS;
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

/// Blocks of one width, as in B0.
struct Stage {
    /// Channels inside a block, for each that enters.
    expansion: usize,
    kernel: usize,
    /// Of the first block.
    stride: usize,
    out: usize,
    blocks: usize,
}

const fn stage(expansion: usize, kernel: usize, stride: usize, out: usize, blocks: usize) -> Stage {
    Stage { expansion, kernel, stride, out, blocks }
}

const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 16, 1),
    stage(6, 3, 2, 24, 2),
    stage(6, 5, 2, 40, 2),
    stage(6, 3, 2, 80, 3),
    stage(6, 5, 1, 112, 3),
    stage(6, 5, 2, 192, 4),
    stage(6, 3, 1, 320, 1),
];

/// Channels of B0's first convolution.
const FIRST: usize = 32;

/// A block where it stands.
struct Block {
    expansion: usize,
    kernel: usize,
    stride: usize,
    out: usize,
    /// Probability of being left out.
    stochastic_depth: f32,
}

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
        let first = ConvSpec::bare(self.channels(FIRST), 3, first_stride);
        let mut map = conv_norm(graph, "features.0", image, &first, Some(Unary::Silu))?;
        let mut steps = vec![Step::new("features.0", map, "edges, textures")];
        let total: usize = STAGES.iter().map(|stage| self.blocks(stage)).sum();
        let mut before = 0;
        for (number, (stage, meaning)) in (1..).zip(STAGES.iter().zip(MEANINGS)) {
            for place in 0..self.blocks(stage) {
                let left_out = options.stem == Stem::Small && number == 2;
                let block = Block {
                    expansion: stage.expansion,
                    kernel: stage.kernel,
                    stride: if place == 0 && !left_out { stage.stride } else { 1 },
                    out: self.channels(stage.out),
                    stochastic_depth: self.stochastic_depth * before as f32 / total as f32,
                };
                map = block.build(graph, &format!("features.{number}.{place}"), map)?;
                before += 1;
            }
            steps.push(Step::new(format!("features.{number}"), map, meaning));
        }
        let name = format!("features.{}", STAGES.len() + 1);
        let last = ConvSpec::bare(4 * channels(graph, map), 1, 1);
        map = conv_norm(graph, &name, map, &last, Some(Unary::Silu))?;
        steps.push(Step::new(name, map, "combinations of them"));
        // Uniform in ±1/√classes, as torchvision has it.
        classifier(graph, map, options, Initialiser::UniformFanIn(options.classes), steps)
    }

    /// The multiple of 8 that is nearest, or the next where that would lose more than a tenth.
    fn channels(self, of_b0: usize) -> usize {
        let wanted = of_b0 as f64 * self.width;
        let nearest = ((wanted + 4.0) as usize / 8 * 8).max(8);
        if (nearest as f64) < 0.9 * wanted { nearest + 8 } else { nearest }
    }

    fn blocks(self, stage: &Stage) -> usize {
        (stage.blocks as f64 * self.depth).ceil() as usize
    }
}

impl Block {
    /// Expansion, convolution of every channel, gates, projection; a shortcut where nothing changes its shape.
    fn build(&self, graph: &mut GraphBuilder, name: &str, input: Value) -> Result<Value, ModelError> {
        let before = channels(graph, input);
        let inside = before * self.expansion;
        let (mut map, mut layer) = (input, 0);
        if self.expansion > 1 {
            let expansion = ConvSpec::bare(inside, 1, 1);
            map = conv_norm(graph, &format!("{name}.block.0"), map, &expansion, Some(Unary::Silu))?;
            layer += 1;
        }
        let depthwise = ConvSpec::depthwise(inside, self.kernel, self.stride);
        map = conv_norm(graph, &format!("{name}.block.{layer}"), map, &depthwise, Some(Unary::Silu))?;
        map = squeeze_excitation(graph, &format!("{name}.block.{}", layer + 1), map, (before / 4).max(1))?;
        let projection = ConvSpec::bare(self.out, 1, 1);
        map = conv_norm(graph, &format!("{name}.block.{}", layer + 2), map, &projection, None)?;
        if self.stride == 1 && before == self.out {
            let dropping = ops::StochasticDepth { p: self.stochastic_depth };
            map = graph.apply(&format!("{name}.stochastic_depth"), dropping, &[map])?;
            map = graph.apply(&format!("{name}.add"), ops::Add, &[map, input])?;
        }
        Ok(map)
    }
}

/// Every map times a number between 0 and 1 that all maps' means decide. Source: Hu et al. 2018, arXiv:1709.01507.
fn squeeze_excitation(graph: &mut GraphBuilder, name: &str, map: Value, squeezed: usize) -> Result<Value, ModelError> {
    let maps = channels(graph, map);
    // Files hold convolutions of the one pixel that is left.
    let start = Initialiser::KaimingNormalFanOut;
    let weight = ParameterSpec { layout: DiskLayout::PointwiseWeight, ..ParameterSpec::LINEAR_WEIGHT.starting(start) };
    let means = graph.apply(&format!("{name}.avgpool"), ops::GlobalAvgPool, &[map])?;
    let few = linear_starting(graph, &format!("{name}.fc1"), means, squeezed, weight)?;
    let few = graph.apply(&format!("{name}.activation"), Unary::Silu, &[few])?;
    let gates = linear_starting(graph, &format!("{name}.fc2"), few, maps, weight)?;
    let gates = graph.apply(&format!("{name}.scale_activation"), Unary::Sigmoid, &[gates])?;
    Ok(graph.apply(&format!("{name}.gate"), ops::Gate, &[map, gates])?)
}
