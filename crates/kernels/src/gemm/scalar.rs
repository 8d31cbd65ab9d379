//! Tiles of plain Rust.

use super::{GemmKernel, Numbers, Pairs, Product, Tile, tile as algorithm};
use crate::Level;
use crate::simd::Lanes;

/// Eight sums of four lanes leave half of the 16 registers of the plainest x86-64.
pub(super) const GEMM_F32: GemmKernel = GemmKernel {
    name: "gemm_f32_scalar",
    level: Level::Scalar,
    of_pairs: false,
    lanes: 4,
    tiles: tiles!(tile: 1 => 1 2 3 4, 2 => 1 2 3 4),
};

/// # Safety
/// See [`Tile`](super::Tile).
unsafe fn tile<const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: plain Rust needs no level; the rest is this function's own contract.
    unsafe { algorithm::multiply::<Lanes<4>, Numbers, M, N>(product, first) }
}

/// As [`GEMM_F32`], of words of two numbers each: slower than that, and what others are tested against.
pub(super) const GEMM_BF16: GemmKernel =
    GemmKernel { name: "gemm_bf16_scalar", of_pairs: true, tiles: PAIR_TILES, ..GEMM_F32 };

const PAIR_TILES: &[&[Tile]] = tiles!(pair_tile: 1 => 1 2 3 4, 2 => 1 2 3 4);

/// # Safety
/// See [`Tile`].
unsafe fn pair_tile<const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: plain Rust needs no level; the rest is this function's own contract.
    unsafe { algorithm::multiply::<Lanes<4>, Pairs, M, N>(product, first) }
}
