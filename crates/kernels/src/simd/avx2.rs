//! Vectors of AVX2 with FMA: 256 bits.

use std::arch::x86_64::*;

use super::{EXPONENT, Vector};
use crate::floats::{Bf16, QUIET, ROUND_UP};

/// Eight numbers.
#[derive(Clone, Copy)]
pub(crate) struct F32x8(__m256);

impl Vector for F32x8 {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: level and pointer by the trait's contract.
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: level and pointer by the trait's contract.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const Bf16) -> Self {
        // SAFETY: level and pointer by the trait's contract.
        Self(unsafe {
            let halves = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(halves))
        })
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut Bf16) {
        // SAFETY: level and pointer by the trait's contract.
        unsafe {
            let bits = _mm256_castps_si256(self.0);
            let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
            let up = _mm256_add_epi32(odd, _mm256_set1_epi32(ROUND_UP.cast_signed()));
            let rounded = _mm256_castsi256_ps(_mm256_add_epi32(bits, up));
            let nan = _mm256_or_ps(self.0, _mm256_castsi256_ps(_mm256_set1_epi32(QUIET.cast_signed())));
            let is_nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(self.0, self.0);
            let bits = _mm256_srli_epi32::<16>(_mm256_castps_si256(_mm256_blendv_ps(rounded, nan, is_nan)));
            // The halves of a vector are packed each by itself.
            let halves = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi32(bits, bits));
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(halves));
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, factor: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_mul_ps(self.0, factor.0) })
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, sum.0) })
    }

    /// The maximum instruction returns its second operand when either is NaN: so the number comes second.
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_max_ps(_mm256_setzero_ps(), self.0) })
    }

    /// As for the maximum.
    #[inline(always)]
    unsafe fn at_most(self, ceiling: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_min_ps(ceiling.0, self.0) })
    }

    /// As for the maximum.
    #[inline(always)]
    unsafe fn at_least(self, floor: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_max_ps(floor.0, self.0) })
    }

    #[inline(always)]
    unsafe fn div(self, divisor: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_div_ps(self.0, divisor.0) })
    }

    #[inline(always)]
    unsafe fn if_below(self, bound: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_blendv_ps(otherwise.0, then.0, _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, bound.0)) })
    }

    #[inline(always)]
    unsafe fn if_at_most(self, bound: Self, then: Self, otherwise: Self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe { _mm256_blendv_ps(otherwise.0, then.0, _mm256_cmp_ps::<_CMP_LE_OQ>(self.0, bound.0)) })
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        // SAFETY: the machine has the level, by the trait's contract.
        Self(unsafe {
            let exponent = _mm256_add_epi32(_mm256_castps_si256(self.0), _mm256_set1_epi32(EXPONENT.cast_signed()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        })
    }
}
