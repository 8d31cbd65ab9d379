//! A small convolutional network for pictures of about 60 pixels: four unpadded convolutions, each halved by pooling.
//!
//! Parameters are named as torchvision names VGG's: `features.{0,3,6,9}` and, counted with dropout and activation,
//! `classifier.{1,3}`.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{GraphBuilder, Value};

use crate::head::dense_head;
use crate::layers::{ConvSpec, conv, dropout, linear, linear_after_map, pool, require_sides, sides};
use crate::{ModelError, NetworkOptions, Outputs, Pool, Step};

/// Settings of the small network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmallCnn {
    /// Channels of the four convolutions.
    pub widths: [usize; 4],
    /// Size of the hidden layer.
    pub hidden: usize,
    /// After every convolution and the hidden layer.
    pub activation: Unary,
    /// How each map is halved.
    pub pool: Pool,
}

/// Below this a map is used up before the fourth pooling.
const LEAST: usize = 46;

impl SmallCnn {
    /// The Simpsons study's network: 458,834 parameters for 18 classes at 60 × 60.
    pub const STUDY: Self = Self { widths: [32, 64, 128, 256], hidden: 256, activation: Unary::Relu, pool: Pool::Max };

    /// Writes the network behind a normalised picture `[batch][height][width][3]`. Dropout acts before the hidden layer.
    ///
    /// # Errors
    /// When the picture is smaller than 46 × 46, the small stem is asked for or a layer does not fit.
    pub fn build(
        self,
        graph: &mut GraphBuilder,
        image: Value,
        options: &NetworkOptions,
    ) -> Result<Outputs, ModelError> {
        options.stem.only_imagenet("small_cnn")?;
        require_sides(graph, image, "small_cnn", LEAST)?;
        let mut steps = Vec::new();
        let mut map = image;
        for (block, out) in self.widths.into_iter().enumerate() {
            let first = 3 * block;
            let names = [first, first + 1, first + 2].map(|layer| format!("features.{layer}"));
            map = conv(graph, &names[0], map, &unpadded(out))?;
            map = graph.apply(&names[1], self.activation, &[map])?;
            map = pool(graph, &names[2], map, self.pool, [2, 2, 0])?;
            steps.push(Step::new(format!("conv, relu, pool {}", block + 1), map, MEANINGS[block]));
        }
        let map_sides = sides(graph, map);
        let flat = graph.apply("flatten", ops::Flatten, &[map])?;
        let kept = dropout(graph, "classifier.0", flat, options.dropout)?;
        let hidden = linear_after_map(graph, "classifier.1", kept, self.hidden, map_sides)?;
        let features = graph.apply("classifier.2", self.activation, &[hidden])?;
        steps.push(Step::new("flatten, dense, relu", features, "combinations of features"));
        let (logits, name) = if options.head.is_empty() {
            (linear(graph, "classifier.3", features, options.classes)?, "dense")
        } else {
            (dense_head(graph, "classifier.3", features, options)?, "dense layers of the head")
        };
        steps.push(Step::new(name, logits, "logits"));
        Ok(Outputs { logits, features, head: "classifier.3".to_owned(), plain_head: None, steps })
    }
}

const MEANINGS: [&str; 4] = ["edges, textures", "motifs", "parts", "abstract features"];

fn unpadded(out: usize) -> ConvSpec {
    ConvSpec { kernel: 3, ..ConvSpec::patches(out, 1) }
}
