//! Functions of straight lines and parabolas that look like [`Sigmoid`](super::Unary::Sigmoid) and
//! [`Silu`](super::Unary::Silu) and need no exponential. Source: Howard et al. 2019, arXiv:1905.02244.

use super::{Activation, Saved};
use crate::simd::Vector;

pub(crate) struct HardSigmoid;
pub(crate) struct HardSwish;

/// A sixth of six is one, as rounded.
const SIXTH: f32 = 1.0 / 6.0;

impl Activation for HardSigmoid {
    const SAVED: Saved = Saved::Output;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { x.add(V::splat(3.0)).relu().at_most(V::splat(6.0)).mul(V::splat(SIXTH)) }
    }

    /// `dy / 6` for results between 0 and 1, zero for those at the ends.
    #[inline(always)]
    unsafe fn gradients<V: Vector>(y: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe {
            let zero = V::splat(0.0);
            let dx = y.if_at_most(zero, zero, dy.mul(V::splat(SIXTH)));
            V::splat(1.0).if_at_most(y, zero, dx)
        }
    }
}

impl Activation for HardSwish {
    const SAVED: Saved = Saved::Input;

    #[inline(always)]
    unsafe fn values<V: Vector>(x: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { x.mul(HardSigmoid::values(x)) }
    }

    #[inline(always)]
    unsafe fn gradients<V: Vector>(x: V, dy: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe {
            let slope = x.mul(V::splat(1.0 / 3.0)).add(V::splat(0.5));
            let dx = x.if_at_most(V::splat(-3.0), V::splat(0.0), dy.mul(slope));
            V::splat(3.0).if_at_most(x, dy, dx)
        }
    }
}
