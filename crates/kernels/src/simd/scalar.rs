//! Vectors in plain Rust, which the compiler maps to what every machine of the target has.

use super::{EXPONENT, Vector};
use crate::floats::{Bf16, Element};

/// `N` numbers.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<const N: usize>([f32; N]);

impl<const N: usize> Lanes<N> {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl<const N: usize> Vector for Lanes<N> {
    const LANES: usize = N;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; N])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: good for N numbers by the trait's contract; an array of f32 needs no other alignment than f32.
        Self(unsafe { from.cast::<[f32; N]>().read() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as in `load`.
        unsafe { to.cast::<[f32; N]>().write(self.0) }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const Bf16) -> Self {
        // SAFETY: as in `load`, for an array of 16 bits.
        Self(unsafe { from.cast::<[Bf16; N]>().read() }.map(Bf16::to_f32))
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut Bf16) {
        // SAFETY: as in `load_bf16`.
        unsafe { to.cast::<[Bf16; N]>().write(self.0.map(Bf16::from_f32)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn mul(self, factor: Self) -> Self {
        self.zip(factor, |a, b| a * b)
    }

    /// Rounded twice: without the instruction `f32::mul_add` is a call into the C library.
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        self.zip(factor, |a, b| a * b).zip(sum, |product, c| product + c)
    }

    #[inline(always)]
    unsafe fn relu(self) -> Self {
        Self(self.0.map(|x| if x < 0.0 { 0.0 } else { x }))
    }

    #[inline(always)]
    unsafe fn at_most(self, ceiling: Self) -> Self {
        self.zip(ceiling, |x, ceiling| if x > ceiling { ceiling } else { x })
    }

    #[inline(always)]
    unsafe fn at_least(self, floor: Self) -> Self {
        self.zip(floor, |x, floor| if x < floor { floor } else { x })
    }

    #[inline(always)]
    unsafe fn div(self, divisor: Self) -> Self {
        self.zip(divisor, |a, b| a / b)
    }

    #[inline(always)]
    unsafe fn if_below(self, bound: Self, then: Self, otherwise: Self) -> Self {
        Self(std::array::from_fn(|i| if self.0[i] < bound.0[i] { then.0[i] } else { otherwise.0[i] }))
    }

    #[inline(always)]
    unsafe fn if_at_most(self, bound: Self, then: Self, otherwise: Self) -> Self {
        Self(std::array::from_fn(|i| if self.0[i] <= bound.0[i] { then.0[i] } else { otherwise.0[i] }))
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        Self(self.0.map(|lane| f32::from_bits(lane.to_bits().wrapping_add(EXPONENT) << 23)))
    }
}
