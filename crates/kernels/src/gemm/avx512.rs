//! Tiles of AVX-512.

use super::{GemmKernel, Product, tile};
use crate::Level;
use crate::simd::F32x16;

/// 24 sums, two vectors of the panel and a broadcast fill 27 of the 32 registers.
pub(super) const GEMM_F32_12X32: GemmKernel =
    GemmKernel { name: "gemm_f32_12x32_avx512", level: Level::Avx512, rows: 12, columns: 32, run: gemm_f32_12x32 };

#[target_feature(enable = "avx512f")]
fn gemm_f32_12x32(product: &Product<'_>) {
    // SAFETY: this function has the features; the table's caller checked the product and owns its part of `c`.
    unsafe { tile::multiply::<F32x16, 12, 2>(product) }
}
