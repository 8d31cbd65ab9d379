//! Depthwise rows of AVX2.

use super::Depthwise;
use super::row::{self, ForwardRow, GradInputRow, GradWeightRow};
use crate::Level;
use crate::simd::F32x8;

pub(super) const DEPTHWISE: Depthwise =
    Depthwise { name: "depthwise_f32_c8_avx2", level: Level::Avx2, forward, grad_input, grad_weight };

#[target_feature(enable = "avx2,fma")]
fn forward(row: &mut ForwardRow<'_>) {
    // SAFETY: this function has the level's features.
    unsafe { row::forward::<F32x8>(row) }
}

#[target_feature(enable = "avx2,fma")]
fn grad_input(row: &mut GradInputRow<'_>) {
    // SAFETY: this function has the level's features.
    unsafe { row::grad_input::<F32x8>(row) }
}

#[target_feature(enable = "avx2,fma")]
fn grad_weight(row: &mut GradWeightRow<'_>) {
    // SAFETY: this function has the level's features.
    unsafe { row::grad_weight::<F32x8>(row) }
}
