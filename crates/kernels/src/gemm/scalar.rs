//! Tiles in plain Rust.

use super::{GemmKernel, Product, tile};
use crate::Level;
use crate::simd::Lanes;

/// Eight sums of four lanes leave half of the 16 registers of the plainest x86-64.
pub(super) const GEMM_F32_4X8: GemmKernel =
    GemmKernel { name: "gemm_f32_4x8_scalar", level: Level::Scalar, rows: 4, columns: 8, run: gemm_f32_4x8 };

fn gemm_f32_4x8(product: &Product<'_>) {
    // SAFETY: plain Rust needs no level; the table's caller checked the product and owns its part of `c`.
    unsafe { tile::multiply::<Lanes<4>, 4, 2>(product) }
}
