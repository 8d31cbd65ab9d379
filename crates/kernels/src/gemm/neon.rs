//! Tiles of NEON.

use super::{GemmKernel, Numbers, Product, tile as algorithm};
use crate::Level;
use crate::simd::F32x4;

/// 16 sums, two vectors of the panel and a broadcast fill 19 of the 32 registers.
pub(super) const GEMM_F32: GemmKernel = GemmKernel {
    name: "gemm_f32_neon",
    level: Level::Neon,
    of_pairs: false,
    lanes: 4,
    tiles: tiles!(tile: 1 => 1 2 3 4 5 6 7 8, 2 => 1 2 3 4 5 6 7 8),
};

/// # Safety
/// See [`Tile`](super::Tile).
#[target_feature(enable = "neon")]
unsafe fn tile<const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: this function has the level's features; the rest is this function's own contract.
    unsafe { algorithm::multiply::<F32x4, Numbers, M, N>(product, first) }
}
