//! How well published weights know ImageNet's validation part, as their publishers say.
//!
//! Of several weights of a network the row has those that compare best with the others': torchvision's first ones, trained by
//! its plain recipe, and not what longer recipes made of the same network later.

/// The published accuracy of some weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    /// The network that they are of.
    pub network: &'static str,
    /// Right answers in hundredths.
    pub top1: f64,
    /// Side in pixels of the pictures that were classified.
    pub size: u32,
    /// The weights, as the source calls them.
    pub weights: &'static str,
    /// Who says so.
    pub source: &'static str,
}

/// Every network that somebody has published ImageNet weights of.
pub const ACCURACIES: &[Accuracy] = &[
    torchvision("resnet18", 69.758, 224, "ResNet18_Weights.IMAGENET1K_V1"),
    torchvision("resnet34", 73.314, 224, "ResNet34_Weights.IMAGENET1K_V1"),
    torchvision("resnet50", 76.130, 224, "ResNet50_Weights.IMAGENET1K_V1"),
    Accuracy {
        network: "resnet50_v1",
        top1: 74.9,
        size: 224,
        weights: "Keras Applications' ResNet50",
        source: "Keras",
    },
    torchvision("resnet101", 77.374, 224, "ResNet101_Weights.IMAGENET1K_V1"),
    torchvision("mobilenet_v2", 71.878, 224, "MobileNet_V2_Weights.IMAGENET1K_V1"),
    // Measured in 8-bit arithmetic, which the weights were trained for.
    Accuracy {
        network: "tf_mobilenet_v2",
        top1: 70.8,
        size: 224,
        weights: "Mobilenet_V2_1.0_224_quant",
        source: "TensorFlow Lite",
    },
    torchvision("mobilenet_v3_large", 74.042, 224, "MobileNet_V3_Large_Weights.IMAGENET1K_V1"),
    torchvision("efficientnet_b0", 77.692, 224, "EfficientNet_B0_Weights.IMAGENET1K_V1"),
    torchvision("efficientnet_b1", 78.642, 240, "EfficientNet_B1_Weights.IMAGENET1K_V1"),
    torchvision("efficientnet_b2", 80.608, 288, "EfficientNet_B2_Weights.IMAGENET1K_V1"),
    torchvision("efficientnet_b3", 82.008, 300, "EfficientNet_B3_Weights.IMAGENET1K_V1"),
    timm("tf_efficientnet_lite0", 74.830, 224, "tf_efficientnet_lite0.in1k"),
    timm("tf_efficientnet_lite1", 76.644, 240, "tf_efficientnet_lite1.in1k"),
    timm("tf_efficientnet_lite2", 77.464, 260, "tf_efficientnet_lite2.in1k"),
    torchvision("convnext_tiny", 82.520, 224, "ConvNeXt_Tiny_Weights.IMAGENET1K_V1"),
    timm("vit_small_patch16_224", 81.384, 224, "vit_small_patch16_224.augreg_in21k_ft_in1k"),
    // The paper's number is that of 1.0; the authors say that 1.1, which came later, is no worse.
    Accuracy {
        network: "squeezenet1_1",
        top1: 57.5,
        size: 224,
        weights: "SqueezeNet 1.0, arXiv:1602.07360",
        source: "its paper",
    },
];

/// By `weights.meta["_metrics"]` of torchvision 0.29.
const fn torchvision(network: &'static str, top1: f64, size: u32, weights: &'static str) -> Accuracy {
    Accuracy { network, top1, size, weights, source: "torchvision" }
}

/// By timm's `results/results-imagenet.csv`.
const fn timm(network: &'static str, top1: f64, size: u32, weights: &'static str) -> Accuracy {
    Accuracy { network, top1, size, weights, source: "timm" }
}

/// What is published of a network's ImageNet weights.
pub fn accuracy(network: &str) -> Option<&'static Accuracy> {
    ACCURACIES.iter().find(|accuracy| accuracy.network == network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NETWORKS, PUBLISHED, find};

    #[test]
    fn every_row_is_of_a_network_and_a_share() {
        for row in ACCURACIES {
            assert!(find(row.network).is_ok(), "{}", row.network);
            assert_eq!(accuracy(row.network), Some(row), "one row a network");
            assert!((50.0..90.0).contains(&row.top1), "{}: {}", row.network, row.top1);
        }
        let without: Vec<&str> =
            NETWORKS.iter().map(|network| network.name).filter(|name| accuracy(name).is_none()).collect();
        assert_eq!(without, ["small_cnn", "mlp"], "nobody has trained these on ImageNet");
        assert!(PUBLISHED.iter().all(|entry| accuracy(entry.network).is_some()));
    }
}
