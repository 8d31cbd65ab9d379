//! Tiles of NEON.

use super::{GemmKernel, Product, tile as algorithm};
use crate::Level;
use crate::simd::F32x4;

/// 16 sums, two vectors of the panel and a broadcast fill 19 of the 32 registers.
pub(super) const GEMM_F32_8X8: GemmKernel = GemmKernel {
    name: "gemm_f32_8x8_neon",
    level: Level::Neon,
    columns: 8,
    tiles: &[tile::<1>, tile::<2>, tile::<3>, tile::<4>, tile::<5>, tile::<6>, tile::<7>, tile::<8>],
};

/// # Safety
/// See [`Tile`](super::Tile).
#[target_feature(enable = "neon")]
unsafe fn tile<const M: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: this function has the level's features; the rest is this function's own contract.
    unsafe { algorithm::multiply::<F32x4, M>(product, first) }
}
