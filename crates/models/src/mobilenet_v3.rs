//! MobileNetV3: MobileNetV2's blocks, some of them gated, of sizes that a search found, with functions that need no
//! exponential.
//!
//! Source: Howard et al. 2019, arXiv:1905.02244; names, sizes, norms and starting values are torchvision's.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{GraphBuilder, Initialiser, ParameterSpec, Value};

use crate::layers::{ConvSpec, channels, conv_norm_with, linear_starting, plain_head};
use crate::light_blocks::{scaled_channels, squeeze_excitation};
use crate::{ModelError, NetworkOptions, Outputs, Stem, Step};

/// Settings of MobileNetV3-Large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MobileNetV3 {
    /// In the first blocks and inside gates.
    pub early: Unary,
    /// In the first convolution, in later blocks and behind them.
    pub late: Unary,
}

/// A block: what is inside, and what comes out.
struct Block {
    kernel: usize,
    inside: usize,
    out: usize,
    gated: bool,
    late: bool,
    stride: usize,
    /// What its stage is for, if it is the last there.
    completes: Option<&'static str>,
}

const fn block(kernel: usize, [inside, out]: [usize; 2], stride: usize) -> Block {
    Block { kernel, inside, out, gated: false, late: false, stride, completes: None }
}

impl Block {
    const fn gated(self) -> Self {
        Self { gated: true, ..self }
    }

    const fn late(self) -> Self {
        Self { late: true, ..self }
    }

    const fn completing(self, meaning: &'static str) -> Self {
        Self { completes: Some(meaning), ..self }
    }
}

const BLOCKS: [Block; 15] = [
    block(3, [16, 16], 1).completing("light residual blocks: edges joined"),
    block(3, [64, 24], 2),
    block(3, [72, 24], 1).completing("light residual blocks: simple shapes"),
    block(5, [72, 40], 2).gated(),
    block(5, [120, 40], 1).gated(),
    block(5, [120, 40], 1).gated().completing("motifs"),
    block(3, [240, 80], 2).late(),
    block(3, [200, 80], 1).late(),
    block(3, [184, 80], 1).late(),
    block(3, [184, 80], 1).late().completing("larger motifs"),
    block(3, [480, 112], 1).gated().late(),
    block(3, [672, 112], 1).gated().late().completing("parts"),
    block(5, [672, 160], 2).gated().late(),
    block(5, [960, 160], 1).gated().late(),
    block(5, [960, 160], 1).gated().late().completing("abstract features"),
];

/// Channels of the first convolution and of the last, and the size of the hidden layer.
const FIRST: usize = 16;
const LAST: usize = 960;
const HIDDEN: usize = 1280;

/// The block whose halving a small stem leaves out.
const SECOND_HALVING: usize = 1;

const NORM: ops::BatchNorm = ops::BatchNorm { eps: 1e-3, momentum: 0.01 };

impl MobileNetV3 {
    /// As published.
    pub const LARGE: Self = Self { early: Unary::Relu, late: Unary::HardSwish };

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
        let is_small = options.stem == Stem::Small;
        let first = ConvSpec::bare(FIRST, 3, if is_small { 1 } else { 2 });
        let mut map = conv_norm_with(graph, "features.0", image, &first, Some(self.late), NORM)?;
        let mut steps = vec![Step::new("features.0", map, "edges, textures")];
        let mut from = 1;
        for (place, block) in BLOCKS.iter().enumerate() {
            let stride = if is_small && place == SECOND_HALVING { 1 } else { block.stride };
            let number = place + 1;
            map = self.inverted_residual(graph, &format!("features.{number}"), map, block, stride)?;
            if let Some(meaning) = block.completes {
                let name =
                    if from == number { format!("features.{from}") } else { format!("features.{from}-{number}") };
                steps.push(Step::new(name, map, meaning));
                from = number + 1;
            }
        }
        let name = format!("features.{}", BLOCKS.len() + 1);
        map = conv_norm_with(graph, &name, map, &ConvSpec::bare(LAST, 1, 1), Some(self.late), NORM)?;
        steps.push(Step::new(name, map, "combinations of them"));
        self.classifier(graph, map, options, steps)
    }

    /// The mean of every map, a hidden layer `classifier.0`, and behind dropout the last one, `classifier.3`.
    fn classifier(
        self,
        graph: &mut GraphBuilder,
        map: Value,
        options: &NetworkOptions,
        mut steps: Vec<Step>,
    ) -> Result<Outputs, ModelError> {
        let start = Initialiser::Normal(0.01);
        let weight = ParameterSpec::LINEAR_WEIGHT.starting(start);
        let means = graph.apply("avgpool", ops::GlobalAvgPool, &[map])?;
        steps.push(Step::new("avgpool, flatten", means, "mean of every map"));
        let hidden = linear_starting(graph, "classifier.0", means, HIDDEN, weight)?;
        let features = graph.apply("classifier.1", self.late, &[hidden])?;
        steps.push(Step::new("classifier.0-1", features, "combinations of features"));
        plain_head(graph, ["classifier.2", "classifier.3"], features, options, start, steps)
    }

    /// Expansion, convolution of every channel, gates where there are any, projection; a shortcut where nothing changes
    /// its shape.
    fn inverted_residual(
        self,
        graph: &mut GraphBuilder,
        name: &str,
        input: Value,
        block: &Block,
        stride: usize,
    ) -> Result<Value, ModelError> {
        let activation = if block.late { self.late } else { self.early };
        let entering = channels(graph, input);
        let mut specs = Vec::new();
        if block.inside != entering {
            specs.push(ConvSpec::bare(block.inside, 1, 1));
        }
        specs.push(ConvSpec::depthwise(block.inside, block.kernel, stride));
        let mut map = input;
        for (layer, spec) in specs.iter().enumerate() {
            map = conv_norm_with(graph, &format!("{name}.block.{layer}"), map, spec, Some(activation), NORM)?;
        }
        let mut layer = specs.len();
        if block.gated {
            let squeezed = scaled_channels(block.inside, 0.25);
            let functions = [self.early, Unary::HardSigmoid];
            map = squeeze_excitation(graph, &format!("{name}.block.{layer}"), map, squeezed, functions)?;
            layer += 1;
        }
        let projection = ConvSpec::bare(block.out, 1, 1);
        map = conv_norm_with(graph, &format!("{name}.block.{layer}"), map, &projection, None, NORM)?;
        if stride == 1 && entering == block.out {
            map = graph.apply(&format!("{name}.add"), ops::Add, &[map, input])?;
        }
        Ok(map)
    }
}
