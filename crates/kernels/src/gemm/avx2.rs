//! Tiles of AVX2 with FMA.

use super::{GemmKernel, Product, tile as algorithm};
use crate::Level;
use crate::simd::F32x8;

/// Twelve sums, two vectors of the panel and a broadcast fill 15 of the 16 registers.
pub(super) const GEMM_F32_6X16: GemmKernel = GemmKernel {
    name: "gemm_f32_6x16_avx2",
    level: Level::Avx2,
    columns: 16,
    tiles: &[tile::<1>, tile::<2>, tile::<3>, tile::<4>, tile::<5>, tile::<6>],
};

/// # Safety
/// See [`Tile`](super::Tile).
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<const M: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: this function has the level's features; the rest is this function's own contract.
    unsafe { algorithm::multiply::<F32x8, M>(product, first) }
}
