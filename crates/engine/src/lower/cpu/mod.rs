//! Kernels of the CPU: a file for each operator's, of the same name, and one table.

mod add;
mod add_relu;
mod attention;
mod avg_pool2d;
mod batch_norm;
mod batch_norm_steps;
mod channel_scale;
mod concat;
mod conv2d;
mod conv2d_fused;
mod conv2d_normed;
mod copy;
mod cross_entropy;
mod depthwise_block;
mod fill;
mod first_token;
mod fold_norm;
mod gate;
mod global_avg_pool;
mod layer_norm;
mod linear;
mod masked;
mod max_pool2d;
mod normalize;
mod scale;
mod softmax;
mod sum_rows;
mod tokens;
mod unary;

use super::{Kernel, Row, Site, row};
use crate::{Operator, ops};

/// The operators that the CPU has kernels for. Views have none: nothing is computed.
const LOWERINGS: &[Row] = &[
    row::<ops::Add>(),
    row::<ops::AddRelu>(),
    row::<ops::AddReluGrad>(),
    row::<ops::Attention>(),
    row::<ops::AttentionGrad>(),
    row::<ops::AvgPool2d>(),
    row::<ops::AvgPool2dGrad>(),
    row::<ops::BatchNorm>(),
    row::<ops::BatchNormApply>(),
    row::<ops::BatchNormFused>(),
    row::<ops::BatchNormGrad>(),
    row::<ops::BatchNormGradSums>(),
    row::<ops::BatchNormInfer>(),
    row::<ops::BatchNormInferGrad>(),
    row::<ops::BatchNormInputGrad>(),
    row::<ops::BatchNormMoments>(),
    row::<ops::BatchNormStatistics>(),
    row::<ops::ChannelScale>(),
    row::<ops::ChannelScaleGrad>(),
    row::<ops::Concat>(),
    row::<ops::ConcatGrad>(),
    row::<ops::Conv2d>(),
    row::<ops::Conv2dFused>(),
    row::<ops::Conv2dGradInput>(),
    row::<ops::Conv2dGradWeight>(),
    row::<ops::Conv2dNormed>(),
    row::<ops::Conv2dNormedGrad>(),
    row::<ops::Copy>(),
    row::<ops::CrossEntropy>(),
    row::<ops::DepthwiseBlock>(),
    row::<ops::Fill>(),
    row::<ops::FirstToken>(),
    row::<ops::FirstTokenGrad>(),
    row::<ops::FoldNorm>(),
    row::<ops::Gate>(),
    row::<ops::GateGrad>(),
    row::<ops::GlobalAvgPool>(),
    row::<ops::GlobalAvgPoolGrad>(),
    row::<ops::LayerNorm>(),
    row::<ops::LayerNormGrad>(),
    row::<ops::Linear>(),
    row::<ops::LinearGradInput>(),
    row::<ops::LinearGradWeight>(),
    row::<ops::Masked>(),
    row::<ops::MaxPool2d>(),
    row::<ops::MaxPool2dGrad>(),
    row::<ops::Normalize>(),
    row::<ops::Scale>(),
    row::<ops::Softmax>(),
    row::<ops::SumRows>(),
    row::<ops::Tokens>(),
    row::<ops::TokensGrad>(),
    row::<ops::Unary>(),
    row::<ops::UnaryGrad>(),
];

/// The kernel for a node, if there is one.
pub(crate) fn lower(operator: &dyn Operator, site: &Site<'_>) -> Option<Kernel> {
    LOWERINGS.iter().find_map(|row| row(operator, site))
}
