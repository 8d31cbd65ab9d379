//! Tiles of AVX2 with FMA.

use super::{GemmKernel, Numbers, Product, tile as algorithm};
use crate::Level;
use crate::simd::F32x8;

/// Twelve sums, two vectors of the panel and a broadcast fill 15 of the 16 registers.
pub(super) const GEMM_F32: GemmKernel = GemmKernel {
    name: "gemm_f32_avx2",
    level: Level::Avx2,
    of_pairs: false,
    lanes: 8,
    tiles: tiles!(tile: 1 => 1 2 3 4 5 6, 2 => 1 2 3 4 5 6),
};

/// # Safety
/// See [`Tile`](super::Tile).
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: this function has the level's features; the rest is this function's own contract.
    unsafe { algorithm::multiply::<F32x8, Numbers, M, N>(product, first) }
}
