//! Rows, normalised.

use super::{LayerNormShape, Statistics};
use crate::parts::{PART, for_each_part};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::{Cpu, Element};

per_element! {
    /// `y = (x - mean) / sqrt(variance + eps) · gamma + beta`, with mean and biased variance of the row.
    ///
    /// # Panics
    /// When a slice has not the length that the shape says; so do all functions here.
    pub fn layer_norm[E](
        cpu: &Cpu,
        shape: LayerNormShape,
        x: &[E],
        gamma: &[f32],
        beta: &[f32],
        eps: f32,
        y: &mut [E],
    ) {
        shape.check([x.len(), y.len()], [gamma.len(), beta.len()]);
        if shape.is_empty() {
            return;
        }
        let part = PART.div_ceil(shape.channels) * shape.channels;
        for_each_part(cpu, part, [y], |range, [y]| normalize_rows(cpu, &x[range], gamma, beta, eps, y));
    }
}

per_level! {
    fn normalize_rows[E: Element](x: &[E], gamma: &[f32], beta: &[f32], eps: f32, y: &mut [E]) {
        for (x, y) in x.chunks_exact(gamma.len()).zip(y.chunks_exact_mut(gamma.len())) {
            let statistics = Statistics::of(x, eps);
            for (((y, x), gamma), beta) in y.iter_mut().zip(x).zip(gamma).zip(beta) {
                *y = E::from_f32(statistics.normalized(x.to_f32()) * gamma + beta);
            }
        }
    }
}
