//! Vectors of NEON: 128 bits.

use std::arch::aarch64::*;

use super::{EXPONENT, Vector};
use crate::floats::{Bf16, QUIET, ROUND_UP};

/// Four numbers.
#[derive(Clone, Copy)]
pub(crate) struct F32x4(float32x4_t);

impl Vector for F32x4 {
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vdupq_n_f32(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the pointer by the trait's contract.
        Self(unsafe { vld1q_f32(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the pointer by the trait's contract.
        unsafe { vst1q_f32(to, self.0) }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const Bf16) -> Self {
        // SAFETY: the pointer by the trait's contract.
        Self(unsafe { vreinterpretq_f32_u32(vshlq_n_u32::<16>(vmovl_u16(vld1_u16(from.cast())))) })
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut Bf16) {
        // SAFETY: the pointer by the trait's contract.
        unsafe {
            let bits = vreinterpretq_u32_f32(self.0);
            let odd = vandq_u32(vshrq_n_u32::<16>(bits), vdupq_n_u32(1));
            let rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(ROUND_UP)));
            let is_number = vceqq_f32(self.0, self.0);
            let bits = vbslq_u32(is_number, rounded, vorrq_u32(bits, vdupq_n_u32(QUIET)));
            vst1_u16(to.cast(), vshrn_n_u32::<16>(bits));
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vaddq_f32(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vsubq_f32(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, factor: Self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vmulq_f32(self.0, factor.0) })
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vfmaq_f32(sum.0, self.0, factor.0) })
    }

    /// By selection: the maximum instruction would make +0 of -0, which other levels keep.
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vbslq_f32(vcltq_f32(self.0, vdupq_n_f32(0.0)), vdupq_n_f32(0.0), self.0) })
    }

    /// The minimum instruction gives NaN when either operand is NaN.
    #[inline(always)]
    unsafe fn at_most(self, ceiling: Self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vminq_f32(ceiling.0, self.0) })
    }

    /// As for the minimum.
    #[inline(always)]
    unsafe fn at_least(self, floor: Self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vmaxq_f32(floor.0, self.0) })
    }

    #[inline(always)]
    unsafe fn div(self, divisor: Self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vdivq_f32(self.0, divisor.0) })
    }

    #[inline(always)]
    unsafe fn if_below(self, bound: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vbslq_f32(vcltq_f32(self.0, bound.0), then.0, otherwise.0) })
    }

    #[inline(always)]
    unsafe fn if_at_most(self, bound: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe { vbslq_f32(vcleq_f32(self.0, bound.0), then.0, otherwise.0) })
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        // SAFETY: every AArch64 machine has NEON.
        Self(unsafe {
            let exponent = vaddq_u32(vreinterpretq_u32_f32(self.0), vdupq_n_u32(EXPONENT));
            vreinterpretq_f32_u32(vshlq_n_u32::<23>(exponent))
        })
    }
}
