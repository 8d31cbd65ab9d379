//! Blocks that are wide inside, where every channel is convolved by itself: those of MobileNet and EfficientNet.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{DiskLayout, GraphBuilder, Initialiser, ParameterSpec, Value};

use crate::layers::{ConvSpec, Padding, channels, conv_norm, linear_starting};
use crate::{ModelError, Stem};

/// Blocks of one width.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    /// Channels inside a block, for each that enters.
    pub(crate) expansion: usize,
    pub(crate) kernel: usize,
    /// Of the first block.
    pub(crate) stride: usize,
    pub(crate) out: usize,
    pub(crate) blocks: usize,
}

pub(crate) const fn stage(expansion: usize, kernel: usize, stride: usize, out: usize, blocks: usize) -> Stage {
    Stage { expansion, kernel, stride, out, blocks }
}

/// What the stages are for.
const MEANINGS: [&str; 7] = [
    "light residual blocks: edges joined",
    "light residual blocks: simple shapes",
    "motifs",
    "larger motifs",
    "parts",
    "larger parts",
    "abstract features",
];

/// A block where it stands.
pub(crate) struct LightBlock {
    /// Number of its stage, from one.
    pub(crate) stage: usize,
    /// Blocks of its stage before it.
    pub(crate) place: usize,
    /// Blocks of the network before it.
    pub(crate) before: usize,
    pub(crate) expansion: usize,
    kernel: usize,
    stride: usize,
    padding: Padding,
    pub(crate) out: usize,
    /// What its stage is for, if it is the last there.
    pub(crate) completes: Option<&'static str>,
}

/// The blocks of a network in their order. Behind a small stem the second stage keeps the size of its
/// maps; `same_padding` is TensorFlow's.
pub(crate) fn light_blocks(stages: [Stage; 7], stem: Stem, same_padding: bool) -> Vec<LightBlock> {
    let mut blocks = Vec::new();
    for (number, (stage, meaning)) in (1..).zip(stages.into_iter().zip(MEANINGS)) {
        let Stage { expansion, kernel, out, .. } = stage;
        for place in 0..stage.blocks {
            let keeps_size = place > 0 || (stem == Stem::Small && number == 2);
            blocks.push(LightBlock {
                stage: number,
                place,
                before: blocks.len(),
                expansion,
                kernel,
                stride: if keeps_size { 1 } else { stage.stride },
                padding: if same_padding { Padding::Same } else { Padding::Even(kernel / 2) },
                out,
                completes: (place + 1 == stage.blocks).then_some(meaning),
            });
        }
    }
    blocks
}

impl LightBlock {
    /// Expansion `{name}.0`, unless there is none, and convolution of every channel; with it the number of the layer
    /// that follows.
    pub(crate) fn widened(
        &self,
        graph: &mut GraphBuilder,
        name: &str,
        input: Value,
        activation: Unary,
    ) -> Result<(Value, usize), ModelError> {
        let inside = channels(graph, input) * self.expansion;
        let (mut map, mut layer) = (input, 0);
        if self.expansion > 1 {
            let expansion = ConvSpec::bare(inside, 1, 1);
            map = conv_norm(graph, &format!("{name}.0"), map, &expansion, Some(activation))?;
            layer += 1;
        }
        map = conv_norm(graph, &format!("{name}.{layer}"), map, &self.depthwise(inside), Some(activation))?;
        Ok((map, layer + 1))
    }

    /// The convolution of every channel.
    pub(crate) fn depthwise(&self, channels: usize) -> ConvSpec {
        ConvSpec::depthwise(channels, self.kernel, self.stride).padded(self.padding)
    }

    /// Whether what leaves it has the shape of what enters, so that there is a shortcut.
    pub(crate) fn keeps_shape(&self, graph: &GraphBuilder, input: Value) -> bool {
        self.stride == 1 && channels(graph, input) == self.out
    }
}

/// So many times the channels: the multiple of 8 that is nearest, or the next where that would lose more than a tenth.
pub(crate) fn scaled_channels(channels: usize, factor: f64) -> usize {
    let wanted = channels as f64 * factor;
    let nearest = ((wanted + 4.0) as usize / 8 * 8).max(8);
    if (nearest as f64) < 0.9 * wanted { nearest + 8 } else { nearest }
}

/// Every map times a number between 0 and 1 that all maps' means decide. Source: Hu et al. 2018, arXiv:1709.01507.
///
/// The first function follows the layer that squeezes, the second gives the numbers.
pub(crate) fn squeeze_excitation(
    graph: &mut GraphBuilder,
    name: &str,
    map: Value,
    squeezed: usize,
    [within, gating]: [Unary; 2],
) -> Result<Value, ModelError> {
    let maps = channels(graph, map);
    // Files hold convolutions of the one pixel that is left.
    let start = Initialiser::KaimingNormalFanOut;
    let weight = ParameterSpec { layout: DiskLayout::PointwiseWeight, ..ParameterSpec::LINEAR_WEIGHT.starting(start) };
    let means = graph.apply(&format!("{name}.avgpool"), ops::GlobalAvgPool, &[map])?;
    let few = linear_starting(graph, &format!("{name}.fc1"), means, squeezed, weight)?;
    let few = graph.apply(&format!("{name}.activation"), within, &[few])?;
    let gates = linear_starting(graph, &format!("{name}.fc2"), few, maps, weight)?;
    let gates = graph.apply(&format!("{name}.scale_activation"), gating, &[gates])?;
    Ok(graph.apply(&format!("{name}.gate"), ops::Gate, &[map, gates])?)
}
