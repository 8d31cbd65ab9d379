//! Tiles of NEON.

use super::{GemmKernel, Product, tile};
use crate::Level;
use crate::simd::F32x4;

/// 16 sums, two vectors of the panel and a broadcast fill 19 of the 32 registers.
pub(super) const GEMM_F32_8X8: GemmKernel =
    GemmKernel { name: "gemm_f32_8x8_neon", level: Level::Neon, rows: 8, columns: 8, run: gemm_f32_8x8 };

#[target_feature(enable = "neon")]
fn gemm_f32_8x8(product: &Product<'_>) {
    // SAFETY: this function has the features; the table's caller checked the product and owns its part of `c`.
    unsafe { tile::multiply::<F32x4, 8, 2>(product) }
}
