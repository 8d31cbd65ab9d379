//! Tiles of AVX2 with FMA.

use super::{GemmKernel, Product, tile};
use crate::Level;
use crate::simd::F32x8;

/// Twelve sums, two vectors of the panel and a broadcast fill 15 of the 16 registers.
pub(super) const GEMM_F32_6X16: GemmKernel =
    GemmKernel { name: "gemm_f32_6x16_avx2", level: Level::Avx2, rows: 6, columns: 16, run: gemm_f32_6x16 };

#[target_feature(enable = "avx2,fma")]
fn gemm_f32_6x16(product: &Product<'_>) {
    // SAFETY: this function has the features; the table's caller checked the product and owns its part of `c`.
    unsafe { tile::multiply::<F32x8, 6, 2>(product) }
}
