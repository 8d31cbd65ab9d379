//! Vectors of f32: what the kernels' algorithms are written over.
//!
//! An algorithm is one `#[inline(always)]` function generic over [`Vector`]. Each level wraps it in a function with
//! `#[target_feature]`, into which all is inlined, so that the intrinsics become single instructions.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod prefetch;
mod scalar;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::F32x8;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::F32x16;
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::F32x4;
pub(crate) use prefetch::{prefetch, prefetch_ahead, prefetch_for_write, prefetch_soon};
pub(crate) use scalar::Lanes;

use crate::floats::{Bf16, Element, Precision};

/// Numbers of the widest vector.
pub(crate) const MOST_LANES: usize = 16;

/// Some f32 numbers that one instruction works on.
///
/// # Safety of all methods
/// The machine has the level of the vector, and the caller runs with its features (else it is only slow). Pointers
/// are good for [`LANES`](Self::LANES) numbers; they need no alignment.
pub(crate) trait Vector: Copy {
    /// How many numbers.
    const LANES: usize;

    /// All lanes the same.
    unsafe fn splat(value: f32) -> Self;

    /// Reads the lanes.
    unsafe fn load(from: *const f32) -> Self;

    /// Writes the lanes.
    unsafe fn store(self, to: *mut f32);

    /// Reads the lanes from numbers of 16 bits.
    unsafe fn load_bf16(from: *const Bf16) -> Self;

    /// Writes the lanes as numbers of 16 bits, rounded as [`Bf16::from_f32`] does.
    unsafe fn store_bf16(self, to: *mut Bf16);

    /// Reads the first `count` lanes, which are all that the pointer need be good for; the others are zero.
    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        let mut lanes = [0.0; MOST_LANES];
        for (i, lane) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: good for so many numbers, by the caller's promise.
            *lane = unsafe { from.add(i).read() };
        }
        // SAFETY: no vector is longer than the array; the level by the caller's promise.
        unsafe { Self::load(lanes.as_ptr()) }
    }

    /// Writes the first `count` lanes, which are all that the pointer need be good for.
    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        let mut lanes = [0.0; MOST_LANES];
        // SAFETY: no vector is longer than the array; the level by the caller's promise.
        unsafe { self.store(lanes.as_mut_ptr()) };
        for (i, lane) in lanes.into_iter().enumerate().take(count) {
            // SAFETY: good for so many numbers, by the caller's promise.
            unsafe { to.add(i).write(lane) };
        }
    }

    /// Reads the lanes from numbers of any type that they are stored in.
    #[inline(always)]
    unsafe fn load_as<E: Element>(from: *const E) -> Self {
        // SAFETY: the pointer is to what the precision says; the rest by the trait's contract.
        unsafe {
            match E::PRECISION {
                Precision::F32 => Self::load(from.cast()),
                Precision::Bf16 => Self::load_bf16(from.cast()),
            }
        }
    }

    /// Writes the lanes as numbers of any type.
    #[inline(always)]
    unsafe fn store_as<E: Element>(self, to: *mut E) {
        // SAFETY: as in `load_as`.
        unsafe {
            match E::PRECISION {
                Precision::F32 => self.store(to.cast()),
                Precision::Bf16 => self.store_bf16(to.cast()),
            }
        }
    }

    /// [`load_first`](Self::load_first) of any type.
    #[inline(always)]
    unsafe fn load_first_as<E: Element>(from: *const E, count: usize) -> Self {
        if E::PRECISION == Precision::F32 {
            // SAFETY: as in `load_as`.
            return unsafe { Self::load_first(from.cast(), count) };
        }
        let mut lanes = [0.0; MOST_LANES];
        for (i, lane) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: good for so many numbers, by the caller's promise.
            *lane = unsafe { from.add(i).read() }.to_f32();
        }
        // SAFETY: no vector is longer than the array; the level by the caller's promise.
        unsafe { Self::load(lanes.as_ptr()) }
    }

    /// [`store_first`](Self::store_first) of any type.
    #[inline(always)]
    unsafe fn store_first_as<E: Element>(self, to: *mut E, count: usize) {
        if E::PRECISION == Precision::F32 {
            // SAFETY: as in `load_as`.
            return unsafe { self.store_first(to.cast(), count) };
        }
        let mut lanes = [0.0; MOST_LANES];
        // SAFETY: no vector is longer than the array; the level by the caller's promise.
        unsafe { self.store(lanes.as_mut_ptr()) };
        for (i, lane) in lanes.into_iter().enumerate().take(count) {
            // SAFETY: good for so many numbers, by the caller's promise.
            unsafe { to.add(i).write(E::from_f32(lane)) };
        }
    }

    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;

    /// `self - other`.
    unsafe fn sub(self, other: Self) -> Self;

    /// `self * factor`.
    unsafe fn mul(self, factor: Self) -> Self;

    /// `self * factor + sum`, rounded once where the level has such an instruction.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;

    /// The same for lanes of two numbers of 16 bits each: the sum and the products of both.
    ///
    /// A level may lack the instruction although it has the vector: see [`has_pairs`](crate::Level::has_pairs).
    #[inline(always)]
    unsafe fn mul_add_pairs(self, factor: Self, sum: Self) -> Self {
        let mut lanes = [[0.0f32; MOST_LANES]; 3];
        // SAFETY: no vector is longer than the arrays; the level by the caller's promise.
        unsafe {
            for (lanes, vector) in lanes.iter_mut().zip([self, factor, sum]) {
                vector.store(lanes.as_mut_ptr());
            }
            let [a, b, mut sums] = lanes;
            for (lane, sum) in sums.iter_mut().enumerate() {
                let [a, b] = [a[lane], b[lane]].map(|pair| bytemuck::cast::<f32, [Bf16; 2]>(pair).map(Bf16::to_f32));
                *sum += a[1] * b[1];
                *sum += a[0] * b[0];
            }
            Self::load(sums.as_ptr())
        }
    }

    /// Zero for lanes below zero; NaN stays NaN.
    unsafe fn relu(self) -> Self;

    /// The ceiling for lanes above it; NaN stays NaN.
    unsafe fn at_most(self, ceiling: Self) -> Self;

    /// The floor for lanes below it; NaN stays NaN.
    unsafe fn at_least(self, floor: Self) -> Self;

    /// `self / divisor`.
    unsafe fn div(self, divisor: Self) -> Self;

    /// `then` for lanes below the bound, `otherwise` for the others, NaN among them.
    unsafe fn if_below(self, bound: Self, then: Self, otherwise: Self) -> Self;

    /// `then` for lanes up to the bound, `otherwise` for the others, NaN among them.
    unsafe fn if_at_most(self, bound: Self, then: Self, otherwise: Self) -> Self;

    /// `2ⁿ` for lanes that hold [`ROUND`]` + n`, n from -126 to 127.
    unsafe fn power_of_two(self) -> Self;
}

/// Adding it to a number below 2²² in size rounds that to a whole number, kept in the low bits: 1.5 · 2²³.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// What is added to the bits of [`ROUND`]` + n` to give the exponent's bits of 2ⁿ.
const EXPONENT: u32 = 127_u32.wrapping_sub(ROUND.to_bits());

/// The vector at a place of a slice.
///
/// # Safety
/// The machine has the level of `V`.
///
/// # Panics
/// When it does not lie inside.
#[inline(always)]
pub(crate) unsafe fn read<V: Vector, E: Element>(from: &[E], at: usize) -> V {
    // SAFETY: the slice is as long as the vector; the level by the caller's promise.
    unsafe { V::load_as(from[at..at + V::LANES].as_ptr()) }
}

/// Puts a vector to a place of a slice.
///
/// # Safety
/// The machine has the level of `V`.
///
/// # Panics
/// When it does not lie inside.
#[inline(always)]
pub(crate) unsafe fn write<V: Vector>(vector: V, to: &mut [f32], at: usize) {
    // SAFETY: the slice is as long as the vector; the level by the caller's promise.
    unsafe { vector.store(to[at..at + V::LANES].as_mut_ptr()) }
}

/// One number: the channels that fill no vector go through the same algorithm.
impl Vector for f32 {
    const LANES: usize = 1;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        value
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: good for one number by the trait's contract.
        unsafe { from.read() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: good for one number by the trait's contract.
        unsafe { to.write(self) }
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const Bf16) -> Self {
        // SAFETY: good for one number by the trait's contract.
        unsafe { from.read() }.to_f32()
    }

    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut Bf16) {
        // SAFETY: good for one number by the trait's contract.
        unsafe { to.write(Bf16::from_f32(self)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self - other
    }

    #[inline(always)]
    unsafe fn mul(self, factor: Self) -> Self {
        self * factor
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        self * factor + sum
    }

    #[inline(always)]
    unsafe fn relu(self) -> Self {
        if self < 0.0 { 0.0 } else { self }
    }

    #[inline(always)]
    unsafe fn at_most(self, ceiling: Self) -> Self {
        if self > ceiling { ceiling } else { self }
    }

    #[inline(always)]
    unsafe fn at_least(self, floor: Self) -> Self {
        if self < floor { floor } else { self }
    }

    #[inline(always)]
    unsafe fn div(self, divisor: Self) -> Self {
        self / divisor
    }

    #[inline(always)]
    unsafe fn if_below(self, bound: Self, then: Self, otherwise: Self) -> Self {
        if self < bound { then } else { otherwise }
    }

    #[inline(always)]
    unsafe fn if_at_most(self, bound: Self, then: Self, otherwise: Self) -> Self {
        if self <= bound { then } else { otherwise }
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        f32::from_bits(self.to_bits().wrapping_add(EXPONENT) << 23)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs every method on lanes that differ; called inside a function with the level's features.
    #[inline(always)]
    unsafe fn check<V: Vector>() {
        let mut numbers: Vec<f32> = (0..V::LANES).map(|i| i as f32 - 1.5).collect();
        numbers[0] = f32::NAN;
        let mut got = vec![0.0; V::LANES];
        // SAFETY: the vectors have `LANES` numbers; the caller has the level.
        unsafe {
            let v = V::load(numbers.as_ptr());
            let line = v.mul_add(V::splat(2.0), V::splat(0.5)).add(V::splat(1.0));
            let twice = line.at_least(V::splat(-0.5)).relu().at_most(V::splat(8.0));
            twice.sub(V::splat(0.25)).mul(V::splat(4.0)).store(got.as_mut_ptr());
        }
        assert!(got[0].is_nan(), "bounds keep NaN");
        for count in 0..=V::LANES {
            let mut part = vec![7.0; V::LANES];
            // SAFETY: as above.
            unsafe { V::load_first(numbers[V::LANES - count..].as_ptr(), count).store(part.as_mut_ptr()) };
            assert!(part.iter().skip(count).all(|&lane| lane == 0.0), "lanes that were not read are zero");
            let mut to = vec![7.0; V::LANES];
            // SAFETY: as above.
            unsafe { V::load(part.as_ptr()).store_first(to.as_mut_ptr(), count) };
            let want = numbers[V::LANES - count..].iter().map(|number| number.to_bits());
            assert!(to.iter().take(count).map(|lane| lane.to_bits()).eq(want));
            assert!(to.iter().skip(count).all(|&lane| lane == 7.0), "lanes that are not written stay");
        }
        for (number, got) in numbers.iter().zip(got).skip(1) {
            assert_eq!(got, ((number * 2.0 + 1.5).clamp(0.0, 8.0) - 0.25) * 4.0);
        }
        let narrow: Vec<Bf16> = numbers.iter().map(|&number| Bf16::from_f32(number * 1.017)).collect();
        for count in 0..=V::LANES {
            let mut to = vec![Bf16::from_f32(7.0); V::LANES];
            // SAFETY: as above.
            unsafe {
                V::load_first_as(narrow[V::LANES - count..].as_ptr(), count).store_first_as(to.as_mut_ptr(), count)
            };
            let same = |a: &Bf16, b: &Bf16| a == b || a.to_f32().is_nan() && b.to_f32().is_nan();
            assert!(to.iter().zip(&narrow[V::LANES - count..]).take(count).all(|(a, b)| same(a, b)));
            assert!(to.iter().skip(count).all(|lane| lane.to_f32() == 7.0), "lanes that are not written stay");
        }
        for odd in [f32::from_bits(0x7fff_ffff), f32::INFINITY, 1.003_906_3, 1.011_718_8, -3.4e38, 1e-40] {
            let mut to = vec![Bf16::default(); V::LANES];
            // SAFETY: as above.
            unsafe { V::splat(odd).store_as(to.as_mut_ptr()) };
            assert!(to.iter().all(|lane| *lane == Bf16::from_f32(odd)), "{odd}");
            let mut back = vec![0.0f32; V::LANES];
            // SAFETY: as above.
            unsafe { V::load_as(to.as_ptr()).store_as(back.as_mut_ptr()) };
            assert!(back.iter().all(|lane| lane.to_bits() == Bf16::from_f32(odd).to_f32().to_bits()), "{odd}");
        }
        let mut got = [(); 3].map(|()| vec![0.0; V::LANES]);
        // SAFETY: as above.
        unsafe {
            let v = V::load(numbers.as_ptr());
            let [bound, below, other] = [0.5, -7.0, 7.0].map(|number| V::splat(number));
            v.if_below(bound, below, other).store(got[0].as_mut_ptr());
            v.if_at_most(bound, below, other).div(V::splat(2.0)).store(got[1].as_mut_ptr());
            v.add(V::splat(1.5)).add(V::splat(ROUND)).power_of_two().store(got[2].as_mut_ptr());
        }
        for (i, &number) in numbers.iter().enumerate() {
            assert_eq!(got[0][i], if number < 0.5 { -7.0 } else { 7.0 });
            assert_eq!(got[1][i], if number <= 0.5 { -3.5 } else { 3.5 });
            assert!(i == 0 || got[2][i] == (number + 1.5).exp2(), "{} of {number}", got[2][i]);
        }
    }

    /// Called inside a function with the level's features.
    #[inline(always)]
    unsafe fn check_pairs<V: Vector>() {
        let pair = |a: f32, b: f32| bytemuck::cast::<[Bf16; 2], f32>([a, b].map(Bf16::from_f32));
        let left: Vec<f32> = (0..V::LANES).map(|i| pair(i as f32, 3.0)).collect();
        let mut sums = vec![0.0; V::LANES];
        // SAFETY: the vectors have `LANES` numbers; the caller has the level.
        unsafe {
            let sum = V::load(left.as_ptr()).mul_add_pairs(V::splat(pair(-1.5, 0.25)), V::splat(10.0));
            sum.store(sums.as_mut_ptr());
        }
        assert!(sums.iter().enumerate().all(|(i, &sum)| sum == 10.75 - 1.5 * i as f32), "{sums:?}");
    }

    #[test]
    fn every_level_computes_the_same() {
        // SAFETY: these need no level.
        unsafe {
            check::<f32>();
            check::<Lanes<4>>();
            check_pairs::<f32>();
            check_pairs::<Lanes<4>>();
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: every AArch64 machine has NEON.
        unsafe {
            check::<F32x4>();
        }
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,fma")]
            fn avx2() {
                // SAFETY: this function has the features.
                unsafe { check::<F32x8>() }
            }
            #[target_feature(enable = "avx512f")]
            fn avx512() {
                // SAFETY: this function has the features.
                unsafe { check::<F32x16>() }
            }
            #[target_feature(enable = "avx512f,avx512bf16")]
            fn avx512_pairs() {
                // SAFETY: this function has the features.
                unsafe { check_pairs::<F32x16>() }
            }
            if crate::Level::Avx512.has_pairs() {
                // SAFETY: tested in the line above.
                unsafe { avx512_pairs() }
            }
            if crate::Level::Avx2.is_available() {
                // SAFETY: tested in the line above.
                unsafe { avx2() }
            }
            if crate::Level::Avx512.is_available() {
                // SAFETY: tested in the line above.
                unsafe { avx512() }
            }
        }
    }
}
