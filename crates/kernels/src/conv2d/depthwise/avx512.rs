//! Depthwise rows of AVX-512.

use super::Depthwise;
use super::row::{self, ForwardRow, GradInputRow, GradWeightRow};
use crate::Level;
use crate::simd::F32x16;

pub(super) const DEPTHWISE: Depthwise =
    Depthwise { name: "depthwise_f32_c16_avx512", level: Level::Avx512, forward, grad_input, grad_weight };

#[target_feature(enable = "avx512f")]
fn forward(row: &mut ForwardRow<'_>) {
    // SAFETY: this function has the level's features.
    unsafe { row::forward::<F32x16>(row) }
}

#[target_feature(enable = "avx512f")]
fn grad_input(row: &mut GradInputRow<'_>) {
    // SAFETY: this function has the level's features.
    unsafe { row::grad_input::<F32x16>(row) }
}

#[target_feature(enable = "avx512f")]
fn grad_weight(row: &mut GradWeightRow<'_>) {
    // SAFETY: this function has the level's features.
    unsafe { row::grad_weight::<F32x16>(row) }
}
