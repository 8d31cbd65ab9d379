//! Tiles of AVX-512.

use super::{GemmKernel, Numbers, Pairs, Product, Tile, tile as algorithm};
use crate::Level;
use crate::simd::F32x16;

/// 24 to 27 sums, the vectors of a panel's row and a broadcast fill at most 31 of the 32 registers.
pub(super) const GEMM_F32: GemmKernel = GemmKernel {
    name: "gemm_f32_avx512",
    level: Level::Avx512,
    of_pairs: false,
    lanes: 16,
    tiles: tiles!(tile: 1 => 1 2 3 4 5 6 7 8 9 10 11 12, 2 => 1 2 3 4 5 6 7 8 9 10 11 12, 3 => 1 2 3 4 5 6 7 8 9, 4 => 1 2 3 4 5 6),
};

/// # Safety
/// See [`Tile`](super::Tile).
#[target_feature(enable = "avx512f")]
unsafe fn tile<const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: this function has the level's features; the rest is this function's own contract.
    unsafe { algorithm::multiply::<F32x16, Numbers, M, N>(product, first) }
}

/// As [`GEMM_F32`], of words of two numbers each.
pub(super) const GEMM_BF16: GemmKernel =
    GemmKernel { name: "gemm_bf16_avx512", of_pairs: true, tiles: PAIR_TILES, ..GEMM_F32 };

const PAIR_TILES: &[&[Tile]] = tiles!(pair_tile: 1 => 1 2 3 4 5 6 7 8 9 10 11 12, 2 => 1 2 3 4 5 6 7 8 9 10 11 12, 3 => 1 2 3 4 5 6 7 8 9, 4 => 1 2 3 4 5 6);

/// # Safety
/// See [`Tile`]; and the machine has the instruction for pairs.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn pair_tile<const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: this function has the level's features; the rest is this function's own contract.
    unsafe { algorithm::multiply::<F32x16, Pairs, M, N>(product, first) }
}
