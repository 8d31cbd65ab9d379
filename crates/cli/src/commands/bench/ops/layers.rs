//! The layers that are measured: of ResNets, MobileNetV2 and EfficientNet-B0 at 160 and 224 px, and of small networks.

use avizor_kernels::conv2d::Conv2dShape;
use avizor_kernels::unary::Unary;

/// A convolution of square maps with a square kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    /// The network and the side of its pictures.
    of: &'static str,
    /// Of the input.
    side: usize,
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Padded so that stride 1 keeps the size.
    Padded,
    Unpadded,
    Depthwise,
    /// A linear layer is a 1 × 1 convolution of 1 × 1 maps, to the kernels too.
    Linear,
}

use Kind::{Depthwise, Linear, Padded, Unpadded};

const fn layer(of: &'static str, side: usize, channels: [usize; 2], kernel: [usize; 2], kind: Kind) -> Layer {
    Layer { of, side, channels, kernel: kernel[0], stride: kernel[1], kind }
}

/// Kernels are size and stride.
#[rustfmt::skip]
pub(super) const LAYERS: &[Layer] = &[
    layer("resnet18@160", 160, [3, 64], [7, 2], Padded),
    layer("resnet18@160", 40, [64, 64], [3, 1], Padded),
    layer("resnet18@160", 40, [64, 128], [3, 2], Padded),
    layer("resnet18@160", 40, [64, 128], [1, 2], Padded),
    layer("resnet18@160", 20, [128, 128], [3, 1], Padded),
    layer("resnet18@160", 20, [128, 256], [3, 2], Padded),
    layer("resnet18@160", 20, [128, 256], [1, 2], Padded),
    layer("resnet18@160", 10, [256, 256], [3, 1], Padded),
    layer("resnet18@160", 10, [256, 512], [3, 2], Padded),
    layer("resnet18@160", 10, [256, 512], [1, 2], Padded),
    layer("resnet18@160", 5, [512, 512], [3, 1], Padded),
    layer("resnet18@224", 224, [3, 64], [7, 2], Padded),
    layer("resnet18@224", 56, [64, 64], [3, 1], Padded),
    layer("resnet18@224", 56, [64, 128], [3, 2], Padded),
    layer("resnet18@224", 28, [128, 128], [3, 1], Padded),
    layer("resnet18@224", 28, [128, 256], [3, 2], Padded),
    layer("resnet18@224", 14, [256, 256], [3, 1], Padded),
    layer("resnet18@224", 14, [256, 512], [3, 2], Padded),
    layer("resnet18@224", 7, [512, 512], [3, 1], Padded),
    layer("resnet18", 1, [512, 1000], [1, 1], Linear),
    layer("resnet50@224", 56, [64, 256], [1, 1], Padded),
    layer("resnet50@224", 56, [256, 64], [1, 1], Padded),
    layer("resnet50@224", 56, [128, 128], [3, 2], Padded),
    layer("resnet50@224", 56, [256, 512], [1, 2], Padded),
    layer("resnet50@224", 28, [128, 512], [1, 1], Padded),
    layer("resnet50@224", 28, [512, 128], [1, 1], Padded),
    layer("resnet50@224", 28, [512, 1024], [1, 2], Padded),
    layer("resnet50@224", 14, [256, 1024], [1, 1], Padded),
    layer("resnet50@224", 14, [1024, 256], [1, 1], Padded),
    layer("resnet50@224", 7, [512, 2048], [1, 1], Padded),
    layer("resnet50@224", 7, [2048, 512], [1, 1], Padded),
    layer("resnet50", 1, [2048, 1000], [1, 1], Linear),
    layer("mobilenet_v2@224", 224, [3, 32], [3, 2], Padded),
    layer("mobilenet_v2@224", 112, [32, 16], [1, 1], Padded),
    layer("mobilenet_v2@224", 112, [16, 96], [1, 1], Padded),
    layer("mobilenet_v2@224", 56, [144, 24], [1, 1], Padded),
    layer("mobilenet_v2@224", 56, [24, 144], [1, 1], Padded),
    layer("mobilenet_v2@224", 28, [32, 192], [1, 1], Padded),
    layer("mobilenet_v2@224", 14, [384, 64], [1, 1], Padded),
    layer("mobilenet_v2@224", 14, [96, 576], [1, 1], Padded),
    layer("mobilenet_v2@224", 7, [960, 160], [1, 1], Padded),
    layer("mobilenet_v2@224", 7, [320, 1280], [1, 1], Padded),
    layer("mobilenet_v2@224", 112, [32, 32], [3, 1], Depthwise),
    layer("mobilenet_v2@224", 112, [96, 96], [3, 2], Depthwise),
    layer("mobilenet_v2@224", 56, [144, 144], [3, 1], Depthwise),
    layer("mobilenet_v2@224", 56, [144, 144], [3, 2], Depthwise),
    layer("mobilenet_v2@224", 28, [192, 192], [3, 1], Depthwise),
    layer("mobilenet_v2@224", 28, [192, 192], [3, 2], Depthwise),
    layer("mobilenet_v2@224", 14, [384, 384], [3, 1], Depthwise),
    layer("mobilenet_v2@224", 14, [576, 576], [3, 1], Depthwise),
    layer("mobilenet_v2@224", 14, [576, 576], [3, 2], Depthwise),
    layer("mobilenet_v2@224", 7, [960, 960], [3, 1], Depthwise),
    layer("efficientnet_b0@224", 28, [40, 240], [1, 1], Padded),
    layer("efficientnet_b0@224", 14, [480, 112], [1, 1], Padded),
    layer("efficientnet_b0@224", 14, [112, 672], [1, 1], Padded),
    layer("efficientnet_b0@224", 7, [1152, 192], [1, 1], Padded),
    layer("efficientnet_b0@224", 56, [144, 144], [5, 2], Depthwise),
    layer("efficientnet_b0@224", 28, [240, 240], [5, 1], Depthwise),
    layer("efficientnet_b0@224", 14, [480, 480], [5, 1], Depthwise),
    layer("efficientnet_b0@224", 14, [672, 672], [5, 2], Depthwise),
    layer("efficientnet_b0@224", 7, [1152, 1152], [5, 1], Depthwise),
    layer("efficientnet_b0", 1, [1280, 1000], [1, 1], Linear),
    layer("small_cnn@60", 60, [3, 32], [3, 1], Unpadded),
    layer("small_cnn@60", 29, [32, 64], [3, 1], Unpadded),
    layer("small_cnn@60", 13, [64, 128], [3, 1], Unpadded),
    layer("small_cnn@60", 5, [128, 256], [3, 1], Unpadded),
    layer("small_cnn", 1, [256, 256], [1, 1], Linear),
    layer("resnet18-small@32", 32, [64, 64], [3, 1], Padded),
    layer("resnet18-small@32", 16, [128, 128], [3, 1], Padded),
    layer("resnet18-small@32", 8, [256, 256], [3, 1], Padded),
    layer("resnet18-small@32", 4, [512, 512], [3, 1], Padded),
];

impl Layer {
    pub(super) fn family(&self) -> &'static str {
        match self.kind {
            Depthwise => "depthwise",
            Linear => "linear",
            Padded | Unpadded => "conv2d",
        }
    }

    /// `resnet18@160 3x3/1 64->64 @40`
    pub(super) fn name(&self) -> String {
        let Self { of, side, channels: [inputs, outputs], kernel, stride, .. } = self;
        match self.kind {
            Linear => format!("{of} {inputs}->{outputs}"),
            Depthwise => format!("{of} {kernel}x{kernel}/{stride} {inputs} @{side}"),
            Padded | Unpadded => format!("{of} {kernel}x{kernel}/{stride} {inputs}->{outputs} @{side}"),
        }
    }

    /// What follows norms in its network.
    pub(super) fn activation(&self) -> Unary {
        match self.of {
            of if of.starts_with("mobilenet_v2") => Unary::Relu6,
            of if of.starts_with("efficientnet") => Unary::Silu,
            _ => Unary::Relu,
        }
    }

    /// Whether the gradient of its input is ever computed: it is not for pictures.
    pub(super) fn has_grad_input(&self) -> bool {
        self.channels[0] != 3
    }

    pub(super) fn shape(&self, batch: usize) -> Conv2dShape {
        Conv2dShape {
            batch,
            height: self.side,
            width: self.side,
            in_channels: self.channels[0],
            out_channels: self.channels[1],
            kernel: [self.kernel; 2],
            stride: [self.stride; 2],
            padding: [if self.kind == Unpadded { 0 } else { self.kernel / 2 }; 2],
            trailing: [0, 0],
            groups: if self.kind == Depthwise { self.channels[0] } else { 1 },
        }
    }
}

/// Maps between convolutions: what passes over memory work on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Map {
    pub(super) of: &'static str,
    pub(super) side: usize,
    pub(super) channels: usize,
    /// What follows the norm there.
    pub(super) activation: Unary,
}

const fn map(of: &'static str, side: usize, channels: usize, activation: Unary) -> Map {
    Map { of, side, channels, activation }
}

#[rustfmt::skip]
pub(super) const MAPS: &[Map] = &[
    map("resnet18@160", 80, 64, Unary::Relu),
    map("resnet18@160", 40, 64, Unary::Relu),
    map("resnet18@160", 20, 128, Unary::Relu),
    map("resnet18@160", 10, 256, Unary::Relu),
    map("resnet18@160", 5, 512, Unary::Relu),
    map("resnet50@224", 56, 256, Unary::Relu),
    map("resnet50@224", 14, 1024, Unary::Relu),
    map("mobilenet_v2@224", 112, 96, Unary::Relu6),
    map("mobilenet_v2@224", 56, 144, Unary::Relu6),
    map("mobilenet_v2@224", 14, 576, Unary::Relu6),
    map("efficientnet_b0@224", 112, 32, Unary::Silu),
    map("efficientnet_b0@224", 28, 240, Unary::Silu),
    map("efficientnet_b0@224", 7, 1152, Unary::Silu),
];

impl Map {
    /// `resnet18@160 64 @40`
    pub(super) fn name(&self) -> String {
        format!("{} {} @{}", self.of, self.channels, self.side)
    }

    /// Pixels of all pictures.
    pub(super) fn rows(&self, batch: usize) -> usize {
        batch * self.side * self.side
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_has_a_name_of_its_own_and_an_output() {
        let mut names: Vec<_> = LAYERS.iter().map(Layer::name).collect();
        names.extend(MAPS.iter().map(Map::name));
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(LAYERS.iter().all(|layer| layer.shape(1).output_len() > 0));
    }
}
