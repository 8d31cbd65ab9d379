//! Depthwise rows of plain Rust.

use super::Depthwise;
use super::row::{self, ForwardRow, GradInputRow, GradWeightRow};
use crate::Level;
use crate::simd::Lanes;

pub(super) const DEPTHWISE: Depthwise =
    Depthwise { name: "depthwise_f32_c4_scalar", level: Level::Scalar, forward, grad_input, grad_weight };

fn forward(row: &mut ForwardRow<'_>) {
    // SAFETY: plain Rust needs no level.
    unsafe { row::forward::<Lanes<4>>(row) }
}

fn grad_input(row: &mut GradInputRow<'_>) {
    // SAFETY: plain Rust needs no level.
    unsafe { row::grad_input::<Lanes<4>>(row) }
}

fn grad_weight(row: &mut GradWeightRow<'_>) {
    // SAFETY: plain Rust needs no level.
    unsafe { row::grad_weight::<Lanes<4>>(row) }
}
