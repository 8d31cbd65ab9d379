//! Tiles of plain Rust.

use super::{GemmKernel, Product, tile as algorithm};
use crate::Level;
use crate::simd::Lanes;

/// Eight sums of four lanes leave half of the 16 registers of the plainest x86-64.
pub(super) const GEMM_F32: GemmKernel = GemmKernel {
    name: "gemm_f32_scalar",
    level: Level::Scalar,
    lanes: 4,
    tiles: tiles!(tile: 1 => 1 2 3 4, 2 => 1 2 3 4),
};

/// # Safety
/// See [`Tile`](super::Tile).
unsafe fn tile<const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: plain Rust needs no level; the rest is this function's own contract.
    unsafe { algorithm::multiply::<Lanes<4>, M, N>(product, first) }
}
