//! Tiles of AVX-512.

use super::{GemmKernel, Product, tile as algorithm};
use crate::Level;
use crate::simd::F32x16;

/// 24 sums, two vectors of the panel and a broadcast fill 27 of the 32 registers.
pub(super) const GEMM_F32_12X32: GemmKernel = GemmKernel {
    name: "gemm_f32_12x32_avx512",
    level: Level::Avx512,
    columns: 32,
    tiles: &[
        tile::<1>, tile::<2>, tile::<3>, tile::<4>, tile::<5>, tile::<6>, tile::<7>, tile::<8>, tile::<9>, tile::<10>,
        tile::<11>, tile::<12>,
    ],
};

/// # Safety
/// See [`Tile`](super::Tile).
#[target_feature(enable = "avx512f")]
unsafe fn tile<const M: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: this function has the level's features; the rest is this function's own contract.
    unsafe { algorithm::multiply::<F32x16, M>(product, first) }
}
