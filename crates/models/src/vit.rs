//! Vision transformer: a picture cut into square patches, each a token; blocks in which every token asks all others, and a
//! class token that gathers what they know.
//!
//! Source: Dosovitskiy et al. 2020, arXiv:2010.11929; names, starting values and the norms' eps are timm's.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{DiskLayout, GraphBuilder, Initialiser, ParameterSpec, Role, Value};

use crate::layers::{ConvSpec, channels, conv, layer_norm, plain_head, sides};
use crate::{ModelError, NetworkOptions, Outputs, Step};

/// Settings of a vision transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisionTransformer {
    /// As timm calls it.
    pub name: &'static str,
    /// Side of a patch in pixels.
    pub patch: usize,
    /// Numbers of a token.
    pub width: usize,
    /// How many there are.
    pub blocks: usize,
    /// Of every block.
    pub heads: usize,
}

/// Of all norms.
const EPS: f32 = 1e-6;
/// Of linear layers and positions. timm cuts the normal distribution at ±2: a hundred deviations, which no draw reaches.
const START: Initialiser = Initialiser::Normal(0.02);
const CLASS_TOKEN_START: Initialiser = Initialiser::Normal(1e-6);

const MEANINGS: [&str; 3] = ["tokens compared: textures, simple shapes", "parts", "abstract features"];

impl VisionTransformer {
    /// The small one, of 22 million parameters.
    pub const SMALL_16: Self = Self { name: "vit_small_patch16_224", patch: 16, width: 384, blocks: 12, heads: 6 };

    /// Writes the network behind a normalised picture `[batch][height][width][3]`.
    ///
    /// # Errors
    /// When the picture cannot be cut into patches, the small stem is asked for or a layer does not fit.
    pub fn build(
        self,
        graph: &mut GraphBuilder,
        image: Value,
        options: &NetworkOptions,
    ) -> Result<Outputs, ModelError> {
        let Self { name: network, patch, width, .. } = self;
        options.stem.only_imagenet(network)?;
        let [rows, columns] = sides(graph, image);
        if [rows, columns].iter().any(|&side| side == 0 || !side.is_multiple_of(patch)) {
            return Err(ModelError::Patches { network, patch, height: rows, width: columns });
        }
        let patches = conv(graph, "patch_embed.proj", image, &ConvSpec::patches(width, patch))?;
        let mut steps = vec![Step::new("patch_embed", patches, "a token for every patch")];
        let grid = [rows / patch, columns / patch];
        let added = |start| ParameterSpec::plain(start, Role::Bias);
        let class = graph.parameter("cls_token", [1, 1, width], added(CLASS_TOKEN_START));
        let of_grid = ParameterSpec { layout: DiskLayout::Grid { grid }, ..added(START) };
        let positions = graph.parameter("pos_embed", [1, 1 + grid[0] * grid[1], width], of_grid);
        let mut tokens = graph.apply("tokens", ops::Tokens, &[patches, class, positions])?;
        steps.push(Step::new("cls_token, pos_embed", tokens, "a token for the class; where each stands"));
        let mut first = 0;
        for (third, meaning) in (1..).zip(MEANINGS) {
            let end = self.blocks * third / MEANINGS.len();
            for number in first..end {
                tokens = self.block(graph, &format!("blocks.{number}"), tokens)?;
            }
            steps.push(Step::new(format!("blocks.{first}-{}", end.saturating_sub(1)), tokens, meaning));
            first = end;
        }
        // Tokens are normalised one by one: the others need not be.
        let class = graph.apply("class_token", ops::FirstToken, &[tokens])?;
        let features = layer_norm(graph, "norm", class, EPS)?;
        steps.push(Step::new("norm", features, "the class token, normalised"));
        plain_head(graph, ["head_drop", "head"], features, options, START, steps)
    }

    /// Attention and two linear layers, each behind a norm and beside a shortcut.
    fn block(self, graph: &mut GraphBuilder, name: &str, input: Value) -> Result<Value, ModelError> {
        let width = channels(graph, input);
        let part = |part: &str| format!("{name}.{part}");
        // Tokens are the pixels of a map of one row.
        let linear = |graph: &mut GraphBuilder, layer: &str, tokens: Value, out: usize| {
            conv(graph, &part(layer), tokens, &ConvSpec::pixelwise(out).starting(START))
        };
        let normal = layer_norm(graph, &part("norm1"), input, EPS)?;
        let asked = linear(graph, "attn.qkv", normal, 3 * width)?;
        let gathered = graph.apply(&part("attn"), ops::Attention { heads: self.heads }, &[asked])?;
        let gathered = linear(graph, "attn.proj", gathered, width)?;
        let tokens = graph.apply(&part("attn.add"), ops::Add, &[gathered, input])?;
        let normal = layer_norm(graph, &part("norm2"), tokens, EPS)?;
        let wide = linear(graph, "mlp.fc1", normal, 4 * width)?;
        let wide = graph.apply(&part("mlp.act"), Unary::Gelu, &[wide])?;
        let narrow = linear(graph, "mlp.fc2", wide, width)?;
        Ok(graph.apply(&part("mlp.add"), ops::Add, &[narrow, tokens])?)
    }
}
