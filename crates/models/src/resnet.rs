//! Residual networks. Source: He et al. 2015, arXiv:1512.03385; names and details are torchvision's (stride in the first
//! 3 × 3 convolution of a block, which for bottlenecks is called v1.5 and can be had as first published too; projection shortcuts with batch norm, no
//! zero-initialised last norm).

use avizor_engine::ops::{self, Unary};
use avizor_engine::{GraphBuilder, Value};

use crate::layers::{ConvSpec, batch_norm, channels, conv, pool};
use crate::{ModelError, NetworkOptions, Outputs, PlainHead, Pool, Stem, Step, head};

/// Settings of a residual network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResNet {
    /// What the stages are made of.
    pub block: Block,
    /// Blocks in each of the four stages.
    pub blocks: [usize; 4],
    /// Channels of the first stage's 3 × 3 convolutions; each later stage has twice as many.
    pub width: usize,
    /// Whether a bottleneck's stride is in its first convolution, as first published, and not in the 3 × 3.
    pub stride_first: bool,
    /// After every convolution and every block.
    pub activation: Unary,
    /// The stem's pooling, where it has one.
    pub pool: Pool,
}

/// The convolutions beside a shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Block {
    /// Two of 3 × 3.
    Basic,
    /// 1 × 1 to fewer channels, 3 × 3, 1 × 1 to four times as many.
    Bottleneck,
}

impl Block {
    /// Channels out of a block, for each of its 3 × 3 convolution's.
    fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

/// What the four stages are for.
const MEANINGS: [&str; 4] = ["residual blocks: simple shapes", "residual blocks: motifs", "parts", "abstract features"];

impl ResNet {
    /// 18 layers.
    pub const R18: Self = Self::of(Block::Basic, [2, 2, 2, 2]);
    /// 34 layers.
    pub const R34: Self = Self::of(Block::Basic, [3, 4, 6, 3]);
    /// 50 layers.
    pub const R50: Self = Self::of(Block::Bottleneck, [3, 4, 6, 3]);
    /// 50 layers as first published, and as Keras has them.
    pub const R50_V1: Self = Self { stride_first: true, ..Self::R50 };
    /// 101 layers.
    pub const R101: Self = Self::of(Block::Bottleneck, [3, 4, 23, 3]);

    const fn of(block: Block, blocks: [usize; 4]) -> Self {
        Self { block, blocks, width: 64, stride_first: false, activation: Unary::Relu, pool: Pool::Max }
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
        let mut steps = Vec::new();
        let mut map = self.stem(graph, image, options.stem, &mut steps)?;
        for (stage, meaning) in MEANINGS.into_iter().enumerate() {
            map = self.stage(graph, stage, map)?;
            steps.push(Step::new(format!("layer{}", stage + 1), map, meaning));
        }
        let features = graph.apply("avgpool", ops::GlobalAvgPool, &[map])?;
        steps.push(Step::new("avgpool, flatten", features, "mean of every map"));
        let plain_head = PlainHead::new("fc.dropout", "fc");
        let logits = plain_head.build(graph, features, options)?;
        steps.push(Step::new(head::step_name("dropout", "fc", options), logits, "logits"));
        Ok(Outputs { logits, features, head: "fc".to_owned(), plain_head: Some(plain_head), steps })
    }

    fn stem(
        self,
        graph: &mut GraphBuilder,
        image: Value,
        stem: Stem,
        steps: &mut Vec<Step>,
    ) -> Result<Value, ModelError> {
        let first = match stem {
            Stem::Imagenet => ConvSpec::bare(self.width, 7, 2),
            Stem::Small => ConvSpec::bare(self.width, 3, 1),
        };
        let map = conv(graph, "conv1", image, &first)?;
        let map = batch_norm(graph, "bn1", map)?;
        let map = graph.apply("relu", self.activation, &[map])?;
        steps.push(Step::new("conv1, bn1, relu", map, "edges, textures"));
        if stem == Stem::Small {
            return Ok(map);
        }
        let map = pool(graph, "maxpool", map, self.pool, [3, 2, 1])?;
        steps.push(Step::new("maxpool", map, "halves the size"));
        Ok(map)
    }

    fn stage(self, graph: &mut GraphBuilder, stage: usize, mut map: Value) -> Result<Value, ModelError> {
        for block in 0..self.blocks[stage] {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let name = format!("layer{}.{block}", stage + 1);
            map = self.block(graph, &name, map, self.width << stage, stride)?;
        }
        Ok(map)
    }

    /// Convolutions beside a shortcut; `width` is that of the 3 × 3 ones.
    fn block(
        self,
        graph: &mut GraphBuilder,
        name: &str,
        input: Value,
        width: usize,
        stride: usize,
    ) -> Result<Value, ModelError> {
        let out = width * self.block.expansion();
        let convolutions = match self.block {
            Block::Basic => vec![ConvSpec::bare(width, 3, stride), ConvSpec::bare(out, 3, 1)],
            Block::Bottleneck => {
                let [first, second] = if self.stride_first { [stride, 1] } else { [1, stride] };
                vec![ConvSpec::bare(width, 1, first), ConvSpec::bare(width, 3, second), ConvSpec::bare(out, 1, 1)]
            }
        };
        let last = convolutions.len();
        let mut map = input;
        for (number, spec) in (1..).zip(&convolutions) {
            map = conv(graph, &format!("{name}.conv{number}"), map, spec)?;
            map = batch_norm(graph, &format!("{name}.bn{number}"), map)?;
            if number < last {
                map = graph.apply(&format!("{name}.relu{number}"), self.activation, &[map])?;
            }
        }
        let shortcut = if stride == 1 && channels(graph, input) == out {
            input
        } else {
            let projected = conv(graph, &format!("{name}.downsample.0"), input, &ConvSpec::bare(out, 1, stride))?;
            batch_norm(graph, &format!("{name}.downsample.1"), projected)?
        };
        let sum = graph.apply(&format!("{name}.add"), ops::Add, &[map, shortcut])?;
        Ok(graph.apply(&format!("{name}.relu{last}"), self.activation, &[sum])?)
    }
}
