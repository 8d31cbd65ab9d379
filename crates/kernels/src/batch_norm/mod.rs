//! Batch normalisation over the rows of `[rows][channels]`: `torch.nn.BatchNorm2d` on NHWC activations.
//!
//! A mean far larger than the standard deviation costs no digits: neither in the statistics ([`batch_norm_moments`]) nor
//! where it is subtracted, in two words.
//!
//! The activation that follows a norm can be computed in the same pass, and a residual be added before it. The backward
//! pass then finds the activation's argument from `x` again, to the bit, so that neither it nor the result is read.

mod backward;
mod channelwise;
mod forward;
mod moments;

pub(crate) use backward::NormReverse;
pub use backward::{
    NormGradients, batch_norm_backward, batch_norm_gradient_sums, batch_norm_infer_backward, batch_norm_input_gradient,
};
pub(crate) use forward::{Normalizer, line};
pub use forward::{batch_norm_apply, batch_norm_infer, batch_norm_statistics, batch_norm_train};
pub use moments::batch_norm_moments;
pub(crate) use moments::{add_moments, join_moments};

use crate::column_sums::RowChunks;
use crate::unary::Unary;

/// A batch of `rows` (batch × height × width) by `channels`, channels last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchNormShape {
    /// Batch × height × width.
    pub rows: usize,
    /// Numbers in a row, each with statistics of its own.
    pub channels: usize,
}

impl BatchNormShape {
    /// Words in the input, and in the output.
    pub fn len(self) -> usize {
        self.rows * self.channels
    }

    /// Whether there is nothing to normalise.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn chunks(self) -> RowChunks {
        RowChunks::new(self.rows, self.channels)
    }
}

/// What is done to a normalised number on its way to memory: `y = activation(number + residual)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AfterNorm<'a, E = f32> {
    /// A tensor of the output's shape.
    pub residual: Option<&'a [E]>,
    /// What comes last.
    pub activation: Option<Unary>,
}

/// What the backward pass reads of the forward one, a number a channel each.
#[derive(Debug)]
pub struct SavedNorm<'s> {
    /// Mean of the batch.
    pub mean: &'s mut [f32],
    /// `1 / sqrt(variance + eps)`.
    pub inv_std: &'s mut [f32],
    /// What was added after scaling: `beta`, and what the mean lost when it was rounded to f32.
    pub offset: &'s mut [f32],
}

/// Words of workspace that every function here that asks for one needs.
pub fn batch_norm_workspace(shape: BatchNormShape) -> usize {
    // Four vectors over the channels, and three sums.
    4 * shape.channels + shape.chunks().workspace(3 * shape.channels)
}

#[cfg(test)]
mod tests;
