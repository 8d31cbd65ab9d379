//! A network as a script of PyTorch's describes it, and its twin without jumps.

use avizor_engine::ops::{self, Unary};
use avizor_engine::{DType, Graph, GraphBuilder, Value};
use avizor_models::{
    ConvNext, EfficientNet, EfficientNetLite, Layers, MobileNetV2, MobileNetV3, ModelError, NetworkOptions, Outputs,
    Pool, ResNet, SqueezeNet, Stem, find,
};

/// A case of the scripts: a network at some size, with dropout and stochastic depth off.
pub(crate) struct Case<'g>(pub(crate) &'g serde_json::Value);

impl Case<'_> {
    pub(crate) fn text(&self, option: &str) -> &str {
        self.0[option].as_str().unwrap()
    }

    pub(crate) fn number(&self, option: &str) -> usize {
        self.0[option].as_u64().unwrap() as usize
    }

    /// Logits and loss of a batch of floats.
    pub(crate) fn graph(&self) -> Graph {
        let (batch, size) = (self.number("batch"), self.number("size"));
        let mut graph = GraphBuilder::new();
        let image = graph.input("image", DType::F32, [batch, size, size, 3]);
        let labels = graph.input("labels", DType::I32, [batch]);
        let stem = if self.text("stem") == "small" { Stem::Small } else { Stem::Imagenet };
        let layers =
            self.0.get("layers").map_or_else(Layers::default, |list| serde_json::from_value(list.clone()).unwrap());
        let options = NetworkOptions { stem, layers, ..NetworkOptions::new(self.number("classes")) };
        let build = if self.0["smooth"].as_bool().unwrap() { twin } else { network };
        let logits = build(self.text("network"), &mut graph, image, &options).unwrap().logits;
        let loss = graph.apply("loss", ops::CrossEntropy::default(), &[logits, labels]).unwrap();
        graph.output("logits", logits);
        graph.output("loss", loss);
        graph.finish().unwrap()
    }
}

fn network(
    name: &str,
    graph: &mut GraphBuilder,
    image: Value,
    options: &NetworkOptions,
) -> Result<Outputs, ModelError> {
    let efficient_net = match name {
        "efficientnet_b0" => EfficientNet::B0,
        "efficientnet_b1" => EfficientNet::B1,
        "efficientnet_b2" => EfficientNet::B2,
        "efficientnet_b3" => EfficientNet::B3,
        "convnext_tiny" => return ConvNext { stochastic_depth: 0.0, ..ConvNext::TINY }.build(graph, image, options),
        _ => return find(name)?.build(graph, image, options),
    };
    EfficientNet { stochastic_depth: 0.0, ..efficient_net }.build(graph, image, options)
}

/// SiLU for ReLU and ReLU6, average for max pooling.
fn twin(name: &str, graph: &mut GraphBuilder, image: Value, options: &NetworkOptions) -> Result<Outputs, ModelError> {
    let activation = Unary::Silu;
    let pool = Pool::Average;
    let resnet = |network: ResNet| ResNet { activation, pool, ..network };
    let mobile_net = |network: MobileNetV2| MobileNetV2 { activation, ..network };
    let lite = |network: EfficientNetLite| EfficientNetLite { activation, ..network };
    match name {
        "resnet18" => resnet(ResNet::R18).build(graph, image, options),
        "resnet34" => resnet(ResNet::R34).build(graph, image, options),
        "resnet50" => resnet(ResNet::R50).build(graph, image, options),
        "resnet50_v1" => resnet(ResNet::R50_V1).build(graph, image, options),
        "resnet101" => resnet(ResNet::R101).build(graph, image, options),
        "mobilenet_v2" => mobile_net(MobileNetV2::RELU6).build(graph, image, options),
        "tf_mobilenet_v2" => mobile_net(MobileNetV2::TENSORFLOW).build(graph, image, options),
        "mobilenet_v3_large" => MobileNetV3 { early: activation, ..MobileNetV3::LARGE }.build(graph, image, options),
        "tf_efficientnet_lite0" => lite(EfficientNetLite::LITE0).build(graph, image, options),
        "tf_efficientnet_lite1" => lite(EfficientNetLite::LITE1).build(graph, image, options),
        "tf_efficientnet_lite2" => lite(EfficientNetLite::LITE2).build(graph, image, options),
        "squeezenet1_1" => SqueezeNet { activation, pool }.build(graph, image, options),
        // The others have no jumps.
        other => network(other, graph, image, options),
    }
}
