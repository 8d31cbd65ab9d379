//! Tiles of plain Rust.

use super::{GemmKernel, Product, tile as algorithm};
use crate::Level;
use crate::simd::Lanes;

/// Eight sums of four lanes leave half of the 16 registers of the plainest x86-64.
pub(super) const GEMM_F32_4X8: GemmKernel = GemmKernel {
    name: "gemm_f32_4x8_scalar",
    level: Level::Scalar,
    columns: 8,
    tiles: &[tile::<1>, tile::<2>, tile::<3>, tile::<4>],
};

/// # Safety
/// See [`Tile`](super::Tile).
unsafe fn tile<const M: usize>(product: &Product<'_>, first: usize) {
    // SAFETY: plain Rust needs no level; the rest is this function's own contract.
    unsafe { algorithm::multiply::<Lanes<4>, M>(product, first) }
}
