//! The layers that a list can have.

use avizor_engine::ops::Unary;

/// A layer, its options in range. Meanings are those of PyTorch's modules.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Layer {
    /// `Conv2d` of square windows.
    Conv {
        /// Channels that come out.
        out: usize,
        /// Side of the window.
        kernel: usize,
        /// Step of the window.
        stride: usize,
        /// Zeros on every side.
        padding: usize,
        /// Channels are cut into this many groups.
        groups: usize,
        /// Whether a number is added to every channel.
        bias: bool,
    },
    /// `BatchNorm2d` or `BatchNorm1d`.
    BatchNorm,
    /// A function of every number.
    Activation(Unary),
    /// `MaxPool2d`.
    MaxPool(Window),
    /// `AvgPool2d`.
    AvgPool(Window),
    /// `AdaptiveAvgPool2d(1)` and `Flatten`.
    GlobalAvgPool,
    /// `Dropout`.
    Dropout {
        /// Probability that a number is dropped in training.
        p: f32,
    },
    /// `Flatten`.
    Flatten,
    /// `Linear`.
    Dense {
        /// Numbers that come out.
        out: usize,
    },
    /// What its layers make of their input, and the input again.
    Residual {
        /// Not empty.
        layers: Vec<Layer>,
    },
}

/// A square window of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its side.
    pub size: usize,
    /// Its step.
    pub stride: usize,
    /// Places on every side where there is nothing, or zeros; at most half the size.
    pub padding: usize,
}

impl Layer {
    /// As lists call it.
    pub fn op(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "conv",
            Self::BatchNorm => "batch_norm",
            Self::Activation(Unary::Relu) => "relu",
            Self::Activation(Unary::Relu6) => "relu6",
            Self::Activation(Unary::Silu) => "silu",
            Self::Activation(Unary::Gelu) => "gelu",
            Self::Activation(Unary::Sigmoid) => "sigmoid",
            Self::Activation(Unary::Tanh) => "tanh",
            Self::Activation(Unary::Softplus) => "softplus",
            Self::Activation(Unary::HardSigmoid) => "hard_sigmoid",
            Self::Activation(Unary::HardSwish) => "hard_swish",
            Self::MaxPool(_) => "max_pool",
            Self::AvgPool(_) => "avg_pool",
            Self::GlobalAvgPool => "global_avg_pool",
            Self::Dropout { .. } => "dropout",
            Self::Flatten => "flatten",
            Self::Dense { .. } => "dense",
            Self::Residual { .. } => "residual",
        }
    }
}
