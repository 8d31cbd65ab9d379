//! The operators, one file each.
//!
//! Adding one: its file here (attributes, shape rule, gradient, definition, cases), the file of the same name under
//! `lower/cpu`, and a row in the table of each.

mod add;
mod add_relu;
mod attention;
mod avg_pool2d;
mod batch_norm;
mod batch_norm_fused;
mod batch_norm_steps;
mod channel_scale;
mod concat;
mod conv2d;
mod conv2d_fused;
mod conv2d_normed;
mod copy;
mod cross_entropy;
mod depthwise_block;
mod dropout;
mod fill;
mod first_token;
mod flatten;
mod fold_norm;
mod gate;
mod global_avg_pool;
mod layer_norm;
mod linear;
mod masked;
mod max_pool2d;
mod normalize;
mod reshape;
mod scale;
mod softmax;
mod stochastic_depth;
mod sum_rows;
mod tokens;
mod unary;
mod window;

pub use add::Add;
pub(crate) use add_relu::{AddRelu, AddReluGrad};
pub use attention::Attention;
pub(crate) use attention::AttentionGrad;
pub use avg_pool2d::AvgPool2d;
pub(crate) use avg_pool2d::AvgPool2dGrad;
pub use batch_norm::BatchNorm;
pub(crate) use batch_norm::{BatchNormGrad, BatchNormInfer, BatchNormInferGrad, kernel_shape as batch_norm_shape};
pub(crate) use batch_norm_fused::BatchNormFused;
pub(crate) use batch_norm_steps::{
    BatchNormApply, BatchNormGradSums, BatchNormInputGrad, BatchNormMoments, BatchNormStatistics,
};
pub use channel_scale::ChannelScale;
pub(crate) use channel_scale::{ChannelScaleGrad, kernel_shape as channel_scale_shape};
pub use concat::Concat;
pub(crate) use concat::ConcatGrad;
pub use conv2d::Conv2d;
pub(crate) use conv2d::{Conv2dGradInput, Conv2dGradWeight};
pub(crate) use conv2d_fused::Conv2dFused;
pub(crate) use conv2d_normed::{Conv2dNormed, Conv2dNormedGrad, Norm};
pub(crate) use copy::Copy;
pub use cross_entropy::CrossEntropy;
pub(crate) use depthwise_block::DepthwiseBlock;
pub use dropout::Dropout;
pub(crate) use fill::Fill;
pub use first_token::FirstToken;
pub(crate) use first_token::{FirstTokenGrad, sizes as token_sizes};
pub use flatten::Flatten;
pub(crate) use fold_norm::FoldNorm;
pub use gate::Gate;
pub(crate) use gate::{GateGrad, kernel_shape as gate_shape};
pub use global_avg_pool::GlobalAvgPool;
pub(crate) use global_avg_pool::{GlobalAvgPoolGrad, sizes as map_sizes};
pub use layer_norm::LayerNorm;
pub(crate) use layer_norm::{LayerNormGrad, kernel_shape as layer_norm_shape};
pub use linear::Linear;
pub(crate) use linear::{LinearGradInput, LinearGradWeight};
pub(crate) use masked::{Masked, Masking, mask_key};
pub use max_pool2d::MaxPool2d;
pub(crate) use max_pool2d::MaxPool2dGrad;
pub use normalize::Normalize;
pub(crate) use reshape::Reshape;
pub use scale::Scale;
pub use softmax::Softmax;
pub use stochastic_depth::StochasticDepth;
pub(crate) use sum_rows::SumRows;
pub use tokens::Tokens;
pub(crate) use tokens::{TokensGrad, kernel_shape as tokens_shape};
pub use unary::Unary;
pub(crate) use unary::UnaryGrad;

/// The operators with their cases: one test walks them all.
#[cfg(test)]
pub(crate) const OPERATORS: &[crate::case::Entry] = &[
    add::entry::ENTRY,
    add_relu::entry::ENTRY,
    add_relu::entry::GRAD,
    attention::entry::ENTRY,
    avg_pool2d::entry::ENTRY,
    batch_norm::entry::ENTRY,
    batch_norm::entry::FROZEN,
    batch_norm_fused::entry::ENTRY,
    batch_norm_steps::entry::APPLY,
    batch_norm_steps::entry::GRAD_SUMS,
    batch_norm_steps::entry::INPUT_GRAD,
    batch_norm_steps::entry::MOMENTS,
    batch_norm_steps::entry::STATISTICS,
    channel_scale::entry::ENTRY,
    concat::entry::ENTRY,
    conv2d::entry::ENTRY,
    conv2d_fused::entry::ENTRY,
    conv2d_normed::entry::ENTRY,
    conv2d_normed::entry::GRAD,
    copy::entry::ENTRY,
    cross_entropy::entry::ENTRY,
    depthwise_block::entry::ENTRY,
    dropout::entry::ENTRY,
    fill::entry::ENTRY,
    first_token::entry::ENTRY,
    flatten::entry::ENTRY,
    fold_norm::entry::ENTRY,
    gate::entry::ENTRY,
    global_avg_pool::entry::ENTRY,
    layer_norm::entry::ENTRY,
    linear::entry::ENTRY,
    max_pool2d::entry::ENTRY,
    normalize::entry::ENTRY,
    reshape::entry::ENTRY,
    scale::entry::ENTRY,
    softmax::entry::ENTRY,
    stochastic_depth::entry::ENTRY,
    sum_rows::entry::ENTRY,
    tokens::entry::ENTRY,
    unary::entry::ENTRY,
];
