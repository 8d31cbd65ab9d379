//! Rewritings of the graph that change no result.
//!
//! They look for patterns, not for modes: what helps inference helps a frozen prefix too. All run after differentiation,
//! so what they make needs no gradient.

mod dead_code;
mod fold_norm;
mod fuse_activation;
mod fuse_add_relu;
mod fuse_depthwise;
mod fuse_norm;
mod fuse_normed;
mod fuse_residual;
mod narrow;
mod pool_gradient;
mod rewrite;
mod specialise;

use crate::Graph;

pub(crate) use narrow::narrow;
pub(crate) use specialise::specialise;

/// A rewriting, which can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pass {
    /// A batch norm with running statistics becomes part of the convolution before it.
    FoldNorm,
    /// The sum at the end of a residual block joins the convolution before it.
    FuseResidual,
    /// An activation joins the convolution before it.
    FuseActivation,
    /// A depthwise convolution and the 1×1 convolutions around it become one step.
    FuseDepthwise,
    /// A sum and a ReLU become one step, and so do, on the way back, a sum of gradients and the ReLU that it goes through.
    FuseAddRelu,
    /// What follows a batch norm in training joins it, and its gradient that of the norm.
    FuseNorm,
    /// In training, convolutions do the work of the norms beside them.
    FuseNormed,
    /// What is done to gradients behind a max pooling is done before it.
    PoolGradient,
    /// What nobody needs is left out.
    DeadCode,
    /// Results overwrite what nobody reads any more; decided with the memory plan.
    InPlace,
}

impl Pass {
    /// All passes, in the order in which they run.
    pub const ALL: [Self; 10] = [
        Self::FoldNorm,
        Self::FuseResidual,
        Self::FuseActivation,
        Self::FuseDepthwise,
        Self::FuseAddRelu,
        Self::FuseNorm,
        Self::FuseNormed,
        Self::PoolGradient,
        Self::DeadCode,
        Self::InPlace,
    ];

    fn run(self, graph: &mut Graph) {
        match self {
            Self::FoldNorm => fold_norm::run(graph),
            Self::FuseResidual => fuse_residual::run(graph),
            Self::FuseActivation => fuse_activation::run(graph),
            Self::FuseDepthwise => fuse_depthwise::run(graph),
            Self::FuseAddRelu => fuse_add_relu::run(graph),
            Self::FuseNorm => fuse_norm::run(graph),
            Self::FuseNormed => fuse_normed::run(graph),
            Self::PoolGradient => pool_gradient::run(graph),
            Self::DeadCode => dead_code::run(graph),
            Self::InPlace => {}
        }
    }
}

/// Runs all passes but those named.
pub(crate) fn run(graph: &mut Graph, without: &[Pass]) {
    Pass::ALL.into_iter().filter(|pass| !without.contains(pass)).for_each(|pass| pass.run(graph));
}
