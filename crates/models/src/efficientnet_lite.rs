//! EfficientNet-Lite: EfficientNet without gates, with ReLU6, and with stem and head that do not grow.
//!
//! Source: Google's EfficientNet-Lite (github.com/tensorflow/tpu, efficientnet/lite, 2020); names are those of timm's
//! `tf_efficientnet_lite*`, padding and eps TensorFlow's.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{GraphBuilder, Value};

use crate::efficientnet::{FIRST, STAGES, scaled_stage};
use crate::layers::{ConvSpec, Padding, batch_norm_with, channels, conv};
use crate::light_blocks::{LightBlock, light_blocks};
use crate::{ModelError, NetworkOptions, Outputs, PlainHead, Stem, Step, head};

/// Settings of an EfficientNet-Lite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EfficientNetLite {
    /// Channels of the stages, for each of Lite0's; rounded to multiples of 8.
    pub width: f64,
    /// Blocks of the stages but the first and the last, for each of Lite0's; rounded up.
    pub depth: f64,
    /// After every convolution but a block's last.
    pub activation: Unary,
}

/// Channels of the last convolution.
const LAST: usize = 1280;

const NORM: ops::BatchNorm = ops::BatchNorm { eps: 1e-3, momentum: 0.1 };

impl EfficientNetLite {
    /// The smallest.
    pub const LITE0: Self = Self::scaled(1.0, 1.0);
    /// Deeper.
    pub const LITE1: Self = Self::scaled(1.0, 1.1);
    /// Wider and deeper.
    pub const LITE2: Self = Self::scaled(1.1, 1.2);

    const fn scaled(width: f64, depth: f64) -> Self {
        Self { width, depth, activation: Unary::Relu6 }
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
        let first = ConvSpec::bare(FIRST, 3, first_stride).padded(Padding::Same);
        let mut map = self.activated(graph, ["conv_stem", "bn1"], image, &first)?;
        let mut steps = vec![Step::new("conv_stem", map, "edges, textures")];
        let mut stages = STAGES.map(|stage| scaled_stage(stage, self.width, self.depth));
        for end in [0, STAGES.len() - 1] {
            stages[end].blocks = STAGES[end].blocks;
        }
        for block in &light_blocks(stages, options.stem, true) {
            let stage = format!("blocks.{}", block.stage - 1);
            map = self.residual(graph, &format!("{stage}.{}", block.place), map, block)?;
            if let Some(meaning) = block.completes {
                steps.push(Step::new(stage, map, meaning));
            }
        }
        map = self.activated(graph, ["conv_head", "bn2"], map, &ConvSpec::bare(LAST, 1, 1))?;
        steps.push(Step::new("conv_head", map, "combinations of them"));
        let features = graph.apply("global_pool", ops::GlobalAvgPool, &[map])?;
        steps.push(Step::new("global_pool, flatten", features, "mean of every map"));
        let plain_head = PlainHead::new("classifier.dropout", "classifier");
        let logits = plain_head.build(graph, features, options)?;
        steps.push(Step::new(head::step_name("dropout", "classifier", options), logits, "logits"));
        Ok(Outputs { logits, features, head: "classifier".to_owned(), plain_head: Some(plain_head), steps })
    }

    /// Expansion, convolution of every channel, projection; a shortcut where nothing changes its shape.
    fn residual(
        self,
        graph: &mut GraphBuilder,
        name: &str,
        input: Value,
        block: &LightBlock,
    ) -> Result<Value, ModelError> {
        let inside = channels(graph, input) * block.expansion;
        let part = |part: &str| format!("{name}.{part}");
        let mut map = input;
        let (norms, projection) = if block.expansion > 1 {
            map = self.activated(graph, [&part("conv_pw"), &part("bn1")], map, &ConvSpec::bare(inside, 1, 1))?;
            (["bn2", "bn3"], "conv_pwl")
        } else {
            (["bn1", "bn2"], "conv_pw")
        };
        map = self.activated(graph, [&part("conv_dw"), &part(norms[0])], map, &block.depthwise(inside))?;
        map = conv(graph, &part(projection), map, &ConvSpec::bare(block.out, 1, 1))?;
        map = batch_norm_with(graph, &part(norms[1]), map, NORM)?;
        if block.keeps_shape(graph, input) {
            map = graph.apply(&part("add"), ops::Add, &[map, input])?;
        }
        Ok(map)
    }

    /// A convolution, its norm and ReLU6.
    fn activated(
        self,
        graph: &mut GraphBuilder,
        [name, norm]: [&str; 2],
        input: Value,
        spec: &ConvSpec,
    ) -> Result<Value, ModelError> {
        let map = conv(graph, name, input, spec)?;
        let map = batch_norm_with(graph, norm, map, NORM)?;
        Ok(graph.apply(&format!("{norm}.act"), self.activation, &[map])?)
    }
}
