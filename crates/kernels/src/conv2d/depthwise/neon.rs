//! Depthwise rows of NEON.

use super::Depthwise;
use super::row::{self, ForwardRow, GradInputRow, GradWeightRow};
use crate::Level;
use crate::simd::F32x4;

pub(super) const DEPTHWISE: Depthwise =
    Depthwise { name: "depthwise_f32_c4_neon", level: Level::Neon, forward, grad_input, grad_weight };

#[target_feature(enable = "neon")]
fn forward(row: &mut ForwardRow<'_>) {
    // SAFETY: this function has the level's features.
    unsafe { row::forward::<F32x4>(row) }
}

#[target_feature(enable = "neon")]
fn grad_input(row: &mut GradInputRow<'_>) {
    // SAFETY: this function has the level's features.
    unsafe { row::grad_input::<F32x4>(row) }
}

#[target_feature(enable = "neon")]
fn grad_weight(row: &mut GradWeightRow<'_>) {
    // SAFETY: this function has the level's features.
    unsafe { row::grad_weight::<F32x4>(row) }
}
