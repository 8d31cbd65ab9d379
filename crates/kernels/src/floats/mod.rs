//! The types that activations are stored in: f32, or the upper half of its bits. Arithmetic is done in f32, but for products
//! of pairs where a CPU has them: see [`Level::has_pairs`](crate::Level::has_pairs).

use crate::Cpu;
use crate::parts::{PART, for_each_part};
use crate::per_level::per_level;
use crate::pool::Disjoint;

/// A number of 16 bits with the range of an f32 and 8 binary digits: "brain floating point".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Bf16(u16);

// SAFETY: a u16, of which all bits zero are a value.
unsafe impl bytemuck::Zeroable for Bf16 {}
// SAFETY: a u16, of which all bits are values.
unsafe impl bytemuck::Pod for Bf16 {}

/// Which type numbers are stored in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// [`Bf16`].
    Bf16,
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for super::Bf16 {}
}

/// A type that activations are stored in: f32 or [`Bf16`], no other.
pub trait Element: sealed::Sealed + bytemuck::Pod + Default + Send + Sync {
    /// Which one it is: vectors are read and written by it.
    const PRECISION: Precision;

    /// The same number.
    fn to_f32(self) -> f32;

    /// The nearest number, of two equally near the one whose last bit is 0; NaN stays NaN.
    fn from_f32(number: f32) -> Self;

    /// The nearest number of 16 bits.
    fn to_bf16(self) -> Bf16;

    /// Slices of either type.
    fn floats(numbers: &[Self]) -> Floats<'_>;

    /// As [`floats`](Self::floats).
    fn floats_mut(numbers: &mut [Self]) -> FloatsMut<'_>;

    /// The numbers themselves, where they are f32.
    fn as_f32(numbers: &[Self]) -> Option<&[f32]> {
        match Self::floats(numbers) {
            Floats::F32(numbers) => Some(numbers),
            Floats::Bf16(_) => None,
        }
    }
}

impl Element for f32 {
    const PRECISION: Precision = Precision::F32;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn from_f32(number: f32) -> Self {
        number
    }

    #[inline(always)]
    fn to_bf16(self) -> Bf16 {
        Bf16::from_f32(self)
    }

    #[inline(always)]
    fn floats(numbers: &[Self]) -> Floats<'_> {
        Floats::F32(numbers)
    }

    #[inline(always)]
    fn floats_mut(numbers: &mut [Self]) -> FloatsMut<'_> {
        FloatsMut::F32(numbers)
    }
}

impl Element for Bf16 {
    const PRECISION: Precision = Precision::Bf16;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }

    #[inline(always)]
    fn from_f32(number: f32) -> Self {
        let bits = number.to_bits();
        let rounded = bits.wrapping_add(ROUND_UP + (bits >> 16 & 1));
        // Rounding would make infinity or zero of some NaN.
        let bits = if number.is_nan() { bits | QUIET } else { rounded };
        Self((bits >> 16) as u16)
    }

    #[inline(always)]
    fn to_bf16(self) -> Bf16 {
        self
    }

    #[inline(always)]
    fn floats(numbers: &[Self]) -> Floats<'_> {
        Floats::Bf16(numbers)
    }

    #[inline(always)]
    fn floats_mut(numbers: &mut [Self]) -> FloatsMut<'_> {
        FloatsMut::Bf16(numbers)
    }
}

/// A little less than half of the last bit that is kept.
pub(crate) const ROUND_UP: u32 = 0x7fff;
/// The bit that a NaN keeps when it loses the lower half.
pub(crate) const QUIET: u32 = 0x0040_0000;

/// A slice of one of the types: what is chosen when a program runs, not when it is compiled.
#[derive(Clone, Copy, Debug)]
pub enum Floats<'f> {
    /// Of f32.
    F32(&'f [f32]),
    /// Of [`Bf16`].
    Bf16(&'f [Bf16]),
}

impl Floats<'_> {
    /// The type.
    pub fn precision(&self) -> Precision {
        match self {
            Self::F32(_) => Precision::F32,
            Self::Bf16(_) => Precision::Bf16,
        }
    }
}

/// As [`Floats`], to be written.
#[derive(Debug)]
pub enum FloatsMut<'f> {
    /// Of f32.
    F32(&'f mut [f32]),
    /// Of [`Bf16`].
    Bf16(&'f mut [Bf16]),
}

impl FloatsMut<'_> {
    /// The type.
    pub fn precision(&self) -> Precision {
        match self {
            Self::F32(_) => Precision::F32,
            Self::Bf16(_) => Precision::Bf16,
        }
    }
}

/// Pairs of numbers as words.
///
/// # Panics
/// When there is an odd number of them, or they do not start where a word may.
pub(crate) fn pairs(numbers: &[Bf16]) -> &[f32] {
    bytemuck::try_cast_slice(numbers).expect("maps of 16 bits start with a word, and are whole words")
}

/// A word of two numbers, rounded.
#[inline(always)]
pub(crate) fn pair<E: Element>(first: E, second: E) -> f32 {
    bytemuck::cast([first, second].map(E::to_bf16))
}

/// Words of a number of one slice and one of the other, rounded. A slice that is empty counts as zeros.
#[inline(always)]
pub(crate) fn join<E: Element>(first: &[E], second: &[E], to: &mut [f32]) {
    let zero = E::default();
    match (first.is_empty(), second.is_empty()) {
        (false, false) => {
            let numbers = first.iter().zip(second);
            to.iter_mut().zip(numbers).for_each(|(to, (&first, &second))| *to = pair(first, second));
        }
        (false, true) => to.iter_mut().zip(first).for_each(|(to, &first)| *to = pair(first, zero)),
        (true, false) => to.iter_mut().zip(second).for_each(|(to, &second)| *to = pair(zero, second)),
        (true, true) => to.fill(0.0),
    }
}

/// A slice that several tasks write, each its own part.
pub(crate) enum Target<'t> {
    F32(Disjoint<'t, f32>),
    Bf16(Disjoint<'t, Bf16>),
}

impl<'t> From<FloatsMut<'t>> for Target<'t> {
    fn from(numbers: FloatsMut<'t>) -> Self {
        match numbers {
            FloatsMut::F32(numbers) => Self::F32(Disjoint::new(numbers)),
            FloatsMut::Bf16(numbers) => Self::Bf16(Disjoint::new(numbers)),
        }
    }
}

impl Precision {
    /// As recipes and programs call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
}

/// The first numbers in words of four bytes.
///
/// # Panics
/// When there are not so many.
pub fn elements<E: Element>(words: &[f32], len: usize) -> &[E] {
    &bytemuck::cast_slice(words)[..len]
}

/// As [`elements`], to be written.
///
/// # Panics
/// As [`elements`].
pub fn elements_mut<E: Element>(words: &mut [f32], len: usize) -> &mut [E] {
    &mut bytemuck::cast_slice_mut(words)[..len]
}

/// `y = x` in another type, rounded as [`Element::from_f32`] does.
///
/// # Panics
/// When the slices are not equally long.
pub fn convert<A: Element, B: Element>(cpu: &Cpu, x: &[A], y: &mut [B]) {
    assert_eq!(x.len(), y.len(), "input and output are equally long");
    for_each_part(cpu, PART, [y], |range, [y]| convert_part(cpu, &x[range], y));
}

per_level! {
    /// [`convert`] on this thread.
    pub(crate) fn convert_part[A: Element, B: Element](x: &[A], y: &mut [B]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = B::from_f32(x.to_f32());
        }
    }
}

/// Where numbers of a map are made: at their place, or beside it where they are rounded when all is done to them.
pub(crate) fn room_for<'m, E: Element>(to: &'m mut [E], beside: &'m mut [f32]) -> &'m mut [f32] {
    match E::floats_mut(to) {
        FloatsMut::F32(to) => to,
        FloatsMut::Bf16(to) => &mut beside[..to.len()],
    }
}

/// Rounds what was made [beside](room_for) its place.
pub(crate) fn round_into<E: Element>(cpu: &Cpu, beside: &[f32], to: &mut [E]) {
    if E::PRECISION == Precision::Bf16 {
        convert_part(cpu, &beside[..to.len()], to);
    }
}

/// As f32, a few numbers at a time: where what is read is too short for a call.
#[inline(always)]
pub(crate) fn widen<E: Element>(from: &[E], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.to_f32();
    }
}

#[cfg(test)]
mod tests;
