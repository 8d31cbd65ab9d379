//! MobileNetV2: residual blocks that are wide inside, where every channel is convolved by itself.
//!
//! Source: Sandler et al. 2018, arXiv:1801.04381; names, widths and starting values are torchvision's.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{GraphBuilder, Initialiser, Value};

use crate::layers::{ConvSpec, batch_norm, channels, classifier, conv, conv_norm};
use crate::{ModelError, NetworkOptions, Outputs, Stem, Step};

/// Settings of MobileNetV2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MobileNetV2 {
    /// After every convolution but a block's last.
    pub activation: Unary,
}

/// Blocks of one width.
struct Stage {
    /// Channels inside a block, for each that enters.
    expansion: usize,
    out: usize,
    blocks: usize,
    /// Of the first block.
    stride: usize,
}

const fn stage(expansion: usize, out: usize, blocks: usize, stride: usize) -> Stage {
    Stage { expansion, out, blocks, stride }
}

const STAGES: [Stage; 7] = [
    stage(1, 16, 1, 1),
    stage(6, 24, 2, 2),
    stage(6, 32, 3, 2),
    stage(6, 64, 4, 2),
    stage(6, 96, 3, 1),
    stage(6, 160, 3, 2),
    stage(6, 320, 1, 1),
];

/// Channels of the first convolution, and of the last.
const FIRST: usize = 32;
const LAST: usize = 1280;

/// What seven stages of light blocks are for.
pub(crate) const MEANINGS: [&str; 7] = [
    "light residual blocks: edges joined",
    "light residual blocks: simple shapes",
    "motifs",
    "larger motifs",
    "parts",
    "larger parts",
    "abstract features",
];

impl MobileNetV2 {
    /// With ReLU6 and all widths as published.
    pub const RELU6: Self = Self { activation: Unary::Relu6 };

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
        let first = ConvSpec::bare(FIRST, 3, first_stride);
        let mut map = conv_norm(graph, "features.0", image, &first, Some(self.activation))?;
        let mut steps = vec![Step::new("features.0", map, "edges, textures")];
        let mut block = 0;
        for (number, (stage, meaning)) in STAGES.iter().zip(MEANINGS).enumerate() {
            let from = block + 1;
            for place in 0..stage.blocks {
                block += 1;
                let left_out = options.stem == Stem::Small && number == 1;
                let stride = if place == 0 && !left_out { stage.stride } else { 1 };
                map = self.inverted_residual(graph, &format!("features.{block}"), map, stage, stride)?;
            }
            let name = if from == block { format!("features.{from}") } else { format!("features.{from}-{block}") };
            steps.push(Step::new(name, map, meaning));
        }
        let name = format!("features.{}", block + 1);
        map = conv_norm(graph, &name, map, &ConvSpec::bare(LAST, 1, 1), Some(self.activation))?;
        steps.push(Step::new(name, map, "combinations of them"));
        classifier(graph, map, options, Initialiser::Normal(0.01), steps)
    }

    /// Expansion, convolution of every channel, projection; a shortcut where nothing changes its shape.
    fn inverted_residual(
        self,
        graph: &mut GraphBuilder,
        name: &str,
        input: Value,
        stage: &Stage,
        stride: usize,
    ) -> Result<Value, ModelError> {
        let before = channels(graph, input);
        let inside = before * stage.expansion;
        let (mut map, mut layer) = (input, 0);
        if stage.expansion > 1 {
            let expansion = ConvSpec::bare(inside, 1, 1);
            map = conv_norm(graph, &format!("{name}.conv.0"), map, &expansion, Some(self.activation))?;
            layer += 1;
        }
        let depthwise = ConvSpec::depthwise(inside, 3, stride);
        map = conv_norm(graph, &format!("{name}.conv.{layer}"), map, &depthwise, Some(self.activation))?;
        map = conv(graph, &format!("{name}.conv.{}", layer + 1), map, &ConvSpec::bare(stage.out, 1, 1))?;
        map = batch_norm(graph, &format!("{name}.conv.{}", layer + 2), map)?;
        if stride == 1 && before == stage.out {
            map = graph.apply(&format!("{name}.add"), ops::Add, &[input, map])?;
        }
        Ok(map)
    }
}
