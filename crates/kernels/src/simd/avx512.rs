//! Vectors of AVX-512: 512 bits.

use std::arch::x86_64::*;

use super::{EXPONENT, Vector};
use crate::floats::{Bf16, QUIET, ROUND_UP};

/// Sixteen numbers.
#[derive(Clone, Copy)]
pub(crate) struct F32x16(__m512);

/// A mask of so many lanes.
#[inline(always)]
fn first_lanes(count: usize) -> __mmask16 {
    ((1u32 << count) - 1) as __mmask16
}

impl Vector for F32x16 {
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: level and pointer by the trait's contract.
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: level and pointer by the trait's contract.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        // SAFETY: level by the trait's contract; lanes that the mask leaves out are not read.
        Self(unsafe { _mm512_maskz_loadu_ps(first_lanes(count), from) })
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // SAFETY: level by the trait's contract; lanes that the mask leaves out are not written.
        unsafe { _mm512_mask_storeu_ps(to, first_lanes(count), self.0) }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const Bf16) -> Self {
        // SAFETY: level and pointer by the trait's contract.
        Self(unsafe {
            let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves))
        })
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut Bf16) {
        // SAFETY: level and pointer by the trait's contract.
        unsafe {
            let bits = _mm512_castps_si512(self.0);
            let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let up = _mm512_add_epi32(odd, _mm512_set1_epi32(ROUND_UP.cast_signed()));
            let rounded = _mm512_add_epi32(bits, up);
            let is_nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, self.0);
            let bits = _mm512_mask_or_epi32(rounded, is_nan, bits, _mm512_set1_epi32(QUIET.cast_signed()));
            _mm256_storeu_si256(to.cast(), _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(bits)));
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, factor: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_mul_ps(self.0, factor.0) })
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, sum.0) })
    }

    #[inline(always)]
    unsafe fn mul_add_pairs(self, factor: Self, sum: Self) -> Self {
        // SAFETY: the machine has the instruction, by the trait's contract; all three are 512 bits, of which all are values.
        unsafe {
            let pairs = |vector: __m512| std::mem::transmute::<__m512, __m512bh>(vector);
            Self(_mm512_dpbf16_ps(sum.0, pairs(self.0), pairs(factor.0)))
        }
    }

    /// The maximum instruction returns its second operand when either is NaN: so the number comes second.
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_max_ps(_mm512_setzero_ps(), self.0) })
    }

    /// As for the maximum.
    #[inline(always)]
    unsafe fn at_most(self, ceiling: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_min_ps(ceiling.0, self.0) })
    }

    /// As for the maximum.
    #[inline(always)]
    unsafe fn at_least(self, floor: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_max_ps(floor.0, self.0) })
    }

    #[inline(always)]
    unsafe fn div(self, divisor: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_div_ps(self.0, divisor.0) })
    }

    #[inline(always)]
    unsafe fn if_below(self, bound: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, bound.0), otherwise.0, then.0) })
    }

    #[inline(always)]
    unsafe fn if_at_most(self, bound: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(self.0, bound.0), otherwise.0, then.0) })
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe {
            let exponent = _mm512_add_epi32(_mm512_castps_si512(self.0), _mm512_set1_epi32(EXPONENT.cast_signed()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        })
    }
}
