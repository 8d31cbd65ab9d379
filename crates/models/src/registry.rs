//! The networks that a recipe can name.

use avizor_base::{ImageSize, Preprocess};
use avizor_engine::{GraphBuilder, Value};

use crate::{
    ConvNext, Custom, EfficientNet, EfficientNetLite, Mlp, MobileNetV2, MobileNetV3, ModelError, NetworkOptions,
    Outputs, ResNet, SmallCnn, SqueezeNet, VisionTransformer,
};

/// Every network that has a name for its layers, in the order of the manual.
pub const NETWORKS: &[Network] = &[
    Network {
        name: "resnet18",
        doc: "Residual network of 18 layers: the ordinary choice.",
        paper: "He et al. 2015, arXiv:1512.03385",
        size: 224,
        parameters: 11_689_512,
        write: |graph, image, options| ResNet::R18.build(graph, image, options),
    },
    Network {
        name: "resnet34",
        doc: "Residual network of 34 layers: twice the work of 18, some points better on large sets.",
        paper: "He et al. 2015, arXiv:1512.03385",
        size: 224,
        parameters: 21_797_672,
        write: |graph, image, options| ResNet::R34.build(graph, image, options),
    },
    Network {
        name: "resnet50",
        doc: "Residual network of 50 layers in bottlenecks: the usual yardstick.",
        paper: "He et al. 2015, arXiv:1512.03385",
        size: 224,
        parameters: 25_557_032,
        write: |graph, image, options| ResNet::R50.build(graph, image, options),
    },
    Network {
        name: "resnet50_v1",
        doc: "ResNet-50 as first published, with the stride in the first convolution of a block: weights from Keras want it.",
        paper: "He et al. 2015, arXiv:1512.03385",
        size: 224,
        parameters: 25_557_032,
        write: |graph, image, options| ResNet::R50_V1.build(graph, image, options),
    },
    Network {
        name: "resnet101",
        doc: "Residual network of 101 layers in bottlenecks: for large sets and patience.",
        paper: "He et al. 2015, arXiv:1512.03385",
        size: 224,
        parameters: 44_549_160,
        write: |graph, image, options| ResNet::R101.build(graph, image, options),
    },
    Network {
        name: "mobilenet_v2",
        doc: "Light network for phones and slow machines: a sixth of ResNet-18's work.",
        paper: "Sandler et al. 2018, arXiv:1801.04381",
        size: 224,
        parameters: 3_504_872,
        write: |graph, image, options| MobileNetV2::RELU6.build(graph, image, options),
    },
    Network {
        name: "tf_mobilenet_v2",
        doc: "MobileNetV2 with TensorFlow's padding: weights from there want it.",
        paper: "Sandler et al. 2018, arXiv:1801.04381",
        size: 224,
        parameters: 3_504_872,
        write: |graph, image, options| MobileNetV2::TENSORFLOW.build(graph, image, options),
    },
    Network {
        name: "mobilenet_v3_large",
        doc: "MobileNetV2 searched anew, with gates and cheaper functions: less work, better on ImageNet.",
        paper: "Howard et al. 2019, arXiv:1905.02244",
        size: 224,
        parameters: 5_483_032,
        write: |graph, image, options| MobileNetV3::LARGE.build(graph, image, options),
    },
    Network {
        name: "efficientnet_b0",
        doc: "Light network with gated channels: a fifth of ResNet-18's work, better on ImageNet; slow to train from nothing.",
        paper: "Tan and Le 2019, arXiv:1905.11946",
        size: 224,
        parameters: 5_288_548,
        write: |graph, image, options| EfficientNet::B0.build(graph, image, options),
    },
    Network {
        name: "efficientnet_b1",
        doc: "EfficientNet-B0 made deeper, for larger pictures.",
        paper: "Tan and Le 2019, arXiv:1905.11946",
        size: 240,
        parameters: 7_794_184,
        write: |graph, image, options| EfficientNet::B1.build(graph, image, options),
    },
    Network {
        name: "efficientnet_b2",
        doc: "EfficientNet-B0 made wider and deeper; its own dropout is 0.3.",
        paper: "Tan and Le 2019, arXiv:1905.11946",
        size: 260,
        parameters: 9_109_994,
        write: |graph, image, options| EfficientNet::B2.build(graph, image, options),
    },
    Network {
        name: "efficientnet_b3",
        doc: "EfficientNet-B0 made wider and deeper still; its own dropout is 0.3.",
        paper: "Tan and Le 2019, arXiv:1905.11946",
        size: 300,
        parameters: 12_233_232,
        write: |graph, image, options| EfficientNet::B3.build(graph, image, options),
    },
    Network {
        name: "tf_efficientnet_lite0",
        doc: "EfficientNet-B0 without gates: quick on every CPU. Padding and norms are TensorFlow's.",
        paper: "Tan and Le 2019, arXiv:1905.11946; Lite: Google 2020",
        size: 224,
        parameters: 4_652_008,
        write: |graph, image, options| EfficientNetLite::LITE0.build(graph, image, options),
    },
    Network {
        name: "tf_efficientnet_lite1",
        doc: "EfficientNet-Lite0 made deeper, for larger pictures.",
        paper: "Tan and Le 2019, arXiv:1905.11946; Lite: Google 2020",
        size: 240,
        parameters: 5_416_680,
        write: |graph, image, options| EfficientNetLite::LITE1.build(graph, image, options),
    },
    Network {
        name: "tf_efficientnet_lite2",
        doc: "EfficientNet-Lite0 made wider and deeper.",
        paper: "Tan and Le 2019, arXiv:1905.11946; Lite: Google 2020",
        size: 260,
        parameters: 6_092_072,
        write: |graph, image, options| EfficientNetLite::LITE2.build(graph, image, options),
    },
    Network {
        name: "convnext_tiny",
        doc: "ResNet-50's work in the manner of transformers, some points better on ImageNet; slow to train from nothing.",
        paper: "Liu et al. 2022, arXiv:2201.03545",
        size: 224,
        parameters: 28_589_128,
        write: |graph, image, options| ConvNext::TINY.build(graph, image, options),
    },
    Network {
        name: "vit_small_patch16_224",
        doc: "Vision transformer: about ResNet-50's work; learns little from nothing, wants published weights of its size.",
        paper: "Dosovitskiy et al. 2020, arXiv:2010.11929",
        size: 224,
        parameters: 22_050_664,
        write: |graph, image, options| VisionTransformer::SMALL_16.build(graph, image, options),
    },
    Network {
        name: "squeezenet1_1",
        doc: "The smallest network with ImageNet weights: a tenth of ResNet-18's parameters and a fifth of its work.",
        paper: "Iandola et al. 2016, arXiv:1602.07360",
        size: 224,
        parameters: 1_235_496,
        write: |graph, image, options| SqueezeNet::V1_1.build(graph, image, options),
    },
    Network {
        name: "small_cnn",
        doc: "Four convolutions and two dense layers for pictures of about 60 pixels; dropout before the dense ones.",
        paper: "none: the Simpsons study",
        size: 60,
        parameters: 711_208,
        write: |graph, image, options| SmallCnn::STUDY.build(graph, image, options),
    },
    Network {
        name: "mlp",
        doc: "Fully connected baseline that sees no neighbourhoods; hidden layers are an option, dropout after each.",
        paper: "Rumelhart et al. 1986, doi:10.1038/323533a0",
        size: 64,
        parameters: 6_804_968,
        write: |graph, image, options| Mlp::RELU.build(graph, image, options),
    },
];

/// The network whose layers are listed: it has no weights, size or number of parameters of its own.
pub const CUSTOM: Network = Network {
    name: "custom",
    doc: "The layers that a recipe lists in model.layers (see `avizor recipes --layers`).",
    paper: "none",
    size: 64,
    parameters: 0,
    write: |graph, image, options| Custom.build(graph, image, options),
};

/// A network by name.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// As recipes call it.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// Side in pixels of the square picture it was made for.
    pub size: u32,
    /// Trained numbers for 1000 classes at that size with default options; 0 where there is no default.
    pub parameters: usize,
    write: fn(&mut GraphBuilder, Value, &NetworkOptions) -> Result<Outputs, ModelError>,
}

impl Network {
    /// Writes the network behind a normalised picture `[batch][height][width][3]` (see
    /// [`image_input`](crate::image_input)). Names no output: the caller does.
    ///
    /// # Errors
    /// When the picture is too small or a layer does not fit; the text names it.
    pub fn build(
        &self,
        graph: &mut GraphBuilder,
        image: Value,
        options: &NetworkOptions,
    ) -> Result<Outputs, ModelError> {
        (self.write)(graph, image, options)
    }

    /// Squashed to its own size, with ImageNet's mean and standard deviation.
    pub fn preprocess(&self) -> Preprocess {
        Preprocess::new(ImageSize::new(self.size, self.size).expect("the table's sizes are small and not zero"))
    }
}

/// The network of this name.
///
/// # Errors
/// When there is none; the text lists those that there are.
pub fn find(name: &str) -> Result<&'static Network, ModelError> {
    let all = || NETWORKS.iter().chain([&CUSTOM]);
    all().find(|network| network.name == name).ok_or_else(|| ModelError::UnknownNetwork {
        name: name.to_owned(),
        available: all().map(|network| network.name).collect::<Vec<_>>().join(", "),
    })
}
