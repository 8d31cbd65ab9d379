//! SqueezeNet: few channels that are read twice, by 1×1 and by 3×3 convolutions whose maps then lie side by side.
//!
//! Source: Iandola et al. 2016, arXiv:1602.07360, version 1.1; names, sizes and starting values are torchvision's.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{GraphBuilder, Initialiser, ParameterSpec, Value};

use crate::layers::{Bias, ConvSpec, Padding, conv, dropout, pool_to_the_end, require_sides};
use crate::{ModelError, NetworkOptions, Outputs, PlainHead, Pool, Step, head};

/// Settings of SqueezeNet 1.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SqueezeNet {
    /// After every convolution.
    pub activation: Unary,
    /// How maps are halved.
    pub pool: Pool,
}

/// Channels of the first convolution.
const FIRST: usize = 64;

/// Fire modules between poolings: channels that each squeezes to, and of each of its two expansions.
const STAGES: [(&[[usize; 2]], &str); 3] = [
    (&[[16, 64], [16, 64]], "motifs"),
    (&[[32, 128], [32, 128]], "parts"),
    (&[[48, 192], [48, 192], [64, 256], [64, 256]], "abstract features"),
];

/// Below this a map is used up before the last pooling.
const LEAST: usize = 17;

/// As torchvision starts all but the last convolution.
const START: Initialiser = Initialiser::KaimingUniformRelu;

impl SqueezeNet {
    /// With ReLU and max pooling, as published.
    pub const V1_1: Self = Self { activation: Unary::Relu, pool: Pool::Max };

    /// Writes the network behind a normalised picture `[batch][height][width][3]`. The last layer is a convolution of single
    /// pixels: dropout acts on the maps before it, and what it says of every place is averaged. Layers of a head read the
    /// mean of every map.
    ///
    /// # Errors
    /// When the picture is smaller than 17 × 17, the small stem is asked for or a layer does not fit.
    pub fn build(
        self,
        graph: &mut GraphBuilder,
        image: Value,
        options: &NetworkOptions,
    ) -> Result<Outputs, ModelError> {
        options.stem.only_imagenet("squeezenet1_1")?;
        require_sides(graph, image, "squeezenet1_1", LEAST)?;
        let stem = ConvSpec { stride: 2, ..biased(FIRST, 3, 0, START) };
        let mut map = conv(graph, "features.0", image, &stem)?;
        map = graph.apply("features.1", self.activation, &[map])?;
        let mut steps = vec![Step::new("features.0-1", map, "edges, textures")];
        let mut layer = 2;
        for (modules, meaning) in STAGES {
            let first = layer;
            map = pool_to_the_end(graph, &format!("features.{layer}"), map, self.pool, [3, 2])?;
            for &sizes in modules {
                layer += 1;
                map = self.fire(graph, &format!("features.{layer}"), map, sizes)?;
            }
            steps.push(Step::new(format!("features.{first}-{layer}"), map, meaning));
            layer += 1;
        }
        if !options.head.is_empty() {
            return dense_classifier(graph, map, options, steps);
        }
        let kept = dropout(graph, "classifier.0", map, options.dropout)?;
        let last = biased(options.classes, 1, 0, Initialiser::Normal(0.01));
        let places = conv(graph, "classifier.1", kept, &last)?;
        let places = graph.apply("classifier.2", self.activation, &[places])?;
        steps.push(Step::new("classifier.0-2", places, "classes at every place"));
        let logits = graph.apply("classifier.3", ops::GlobalAvgPool, &[places])?;
        steps.push(Step::new("classifier.3", logits, "logits"));
        Ok(Outputs { logits, features: map, head: "classifier.1".to_owned(), plain_head: None, steps })
    }

    /// A squeeze to few channels, and both expansions of them side by side.
    fn fire(
        self,
        graph: &mut GraphBuilder,
        name: &str,
        input: Value,
        [squeezed, expanded]: [usize; 2],
    ) -> Result<Value, ModelError> {
        let mut layer = |part: &str, input: Value, spec: ConvSpec| {
            let map = conv(graph, &format!("{name}.{part}"), input, &spec)?;
            Ok::<_, ModelError>(graph.apply(&format!("{name}.{part}_activation"), self.activation, &[map])?)
        };
        let few = layer("squeeze", input, biased(squeezed, 1, 0, START))?;
        let points = layer("expand1x1", few, biased(expanded, 1, 0, START))?;
        let windows = layer("expand3x3", few, biased(expanded, 3, 1, START))?;
        Ok(graph.apply(&format!("{name}.concat"), ops::Concat, &[points, windows])?)
    }
}

/// The mean of every map, and the layers that the options list.
fn dense_classifier(
    graph: &mut GraphBuilder,
    map: Value,
    options: &NetworkOptions,
    mut steps: Vec<Step>,
) -> Result<Outputs, ModelError> {
    let features = graph.apply("avgpool", ops::GlobalAvgPool, &[map])?;
    steps.push(Step::new("avgpool, flatten", features, "mean of every map"));
    let plain_head = PlainHead::new("classifier.0", "classifier.1");
    let logits = plain_head.build(graph, features, options)?;
    steps.push(Step::new(head::step_name("classifier.0", "classifier.1", options), logits, "logits"));
    Ok(Outputs { logits, features, head: "classifier.1".to_owned(), plain_head: Some(plain_head), steps })
}

fn biased(out: usize, kernel: usize, padding: usize, initialiser: Initialiser) -> ConvSpec {
    let weight = ParameterSpec::CONV_WEIGHT.starting(initialiser);
    ConvSpec { out, kernel, stride: 1, padding: Padding::Even(padding), bias: Bias::Zero, groups: 1, weight }
}
