//! Tiles of AVX-512.

use super::{GemmKernel, Product, tile as algorithm};
use crate::Level;
use crate::simd::F32x16;

/// 24 to 27 sums, the vectors of a panel's row and a broadcast fill at most 31 of the 32 registers.
pub(super) const GEMM_F32: GemmKernel = GemmKernel {
    name: "gemm_f32_avx512",
    level: Level::Avx512,
    lanes: 16,
    tiles: tiles!(tile: 1 => 1 2 3 4 5 6 7 8 9 10 11 12, 2 => 1 2 3 4 5 6 7 8 9 10 11 12, 3 => 1 2 3 4 5 6 7 8 9, 4 => 1 2 3 4 5 6),
};

/// # Safety
/// See [`Tile`](super::Tile).
#[target_feature(enable = "avx512f")]
unsafe fn tile<const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: this function has the level's features; the rest is this function's own contract.
    unsafe { algorithm::multiply::<F32x16, M, N>(product, first) }
}
