//! MobileNetV2: residual blocks that are wide inside, where every channel is convolved by itself.
//!
//! Source: Sandler et al. 2018, arXiv:1801.04381; names, widths and starting values are torchvision's.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{GraphBuilder, Initialiser, Value};

use crate::layers::{ConvSpec, Padding, batch_norm, classifier, conv, conv_norm};
use crate::light_blocks::{LightBlock, Stage, light_blocks, stage};
use crate::{ModelError, NetworkOptions, Outputs, Stem, Step};

/// Settings of MobileNetV2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MobileNetV2 {
    /// After every convolution but a block's last.
    pub activation: Unary,
    /// Whether zeros around maps are TensorFlow's "same", which weights from there want.
    pub same_padding: bool,
}

const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 16, 1),
    stage(6, 3, 2, 24, 2),
    stage(6, 3, 2, 32, 3),
    stage(6, 3, 2, 64, 4),
    stage(6, 3, 1, 96, 3),
    stage(6, 3, 2, 160, 3),
    stage(6, 3, 1, 320, 1),
];

/// Channels of the first convolution, and of the last.
const FIRST: usize = 32;
const LAST: usize = 1280;

impl MobileNetV2 {
    /// With ReLU6 and all widths as published.
    pub const RELU6: Self = Self { activation: Unary::Relu6, same_padding: false };
    /// The same with TensorFlow's padding.
    pub const TENSORFLOW: Self = Self { same_padding: true, ..Self::RELU6 };

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
        let mut first = ConvSpec::bare(FIRST, 3, first_stride);
        if self.same_padding {
            first = first.padded(Padding::Same);
        }
        let mut map = conv_norm(graph, "features.0", image, &first, Some(self.activation))?;
        let mut steps = vec![Step::new("features.0", map, "edges, textures")];
        let blocks = light_blocks(STAGES, options.stem, self.same_padding);
        for block in &blocks {
            let number = block.before + 1;
            map = self.inverted_residual(graph, &format!("features.{number}"), map, block)?;
            if let Some(meaning) = block.completes {
                let from = number - block.place;
                let name =
                    if from == number { format!("features.{from}") } else { format!("features.{from}-{number}") };
                steps.push(Step::new(name, map, meaning));
            }
        }
        let name = format!("features.{}", blocks.len() + 1);
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
        block: &LightBlock,
    ) -> Result<Value, ModelError> {
        let (mut map, layer) = block.widened(graph, &format!("{name}.conv"), input, self.activation)?;
        map = conv(graph, &format!("{name}.conv.{layer}"), map, &ConvSpec::bare(block.out, 1, 1))?;
        map = batch_norm(graph, &format!("{name}.conv.{}", layer + 1), map)?;
        if block.keeps_shape(graph, input) {
            map = graph.apply(&format!("{name}.add"), ops::Add, &[input, map])?;
        }
        Ok(map)
    }
}
