//! What the arithmetic units reach with nothing to wait for: the yardstick of every kernel.

use std::hint::black_box;
use std::time::Instant;

use crate::simd::Vector;
use crate::{Cpu, Level};

/// Enough independent sums that none waits for its own last multiply-add, few enough to stay in registers.
const CHAINS: usize = 12;

/// Multiply-adds of each chain in one measurement: a few milliseconds.
const STEPS: usize = 1_000_000;

/// Measurements; the best counts, for whatever disturbs one makes it slower.
const REPEATS: usize = 9;

/// Floating-point operations a second (two a multiply-add) that all threads of `cpu` reach together on registers.
pub fn peak_flops(cpu: &Cpu) -> f64 {
    let operations = (2 * cpu.threads() * STEPS * CHAINS * lanes(cpu.level())) as f64;
    let time = |_| {
        let started = Instant::now();
        cpu.pool().run(cpu.threads(), &|_, _| chains_of(cpu.level()));
        started.elapsed().as_secs_f64()
    };
    operations / (0..REPEATS).map(time).fold(f64::INFINITY, f64::min)
}

fn lanes(level: Level) -> usize {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => crate::simd::F32x16::LANES,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => crate::simd::F32x8::LANES,
        #[cfg(target_arch = "aarch64")]
        Level::Neon => crate::simd::F32x4::LANES,
        _ => crate::simd::Lanes::<4>::LANES,
    }
}

fn chains_of(level: Level) {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn avx512() {
        // SAFETY: this function has the features.
        unsafe { chains::<crate::simd::F32x16>() }
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn avx2() {
        // SAFETY: this function has the features.
        unsafe { chains::<crate::simd::F32x8>() }
    }
    match level {
        // SAFETY: the caller has a `Cpu` of the level, so the machine has it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512() },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2() },
        // SAFETY: every AArch64 machine has NEON.
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { chains::<crate::simd::F32x4>() },
        // SAFETY: plain numbers need no level.
        _ => unsafe { chains::<crate::simd::Lanes<4>>() },
    }
}

/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
unsafe fn chains<V: Vector>() {
    // SAFETY: by the caller's promise.
    unsafe {
        let factor = V::splat(black_box(0.999));
        let mut sums = [V::splat(black_box(1.0)); CHAINS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = sum.mul_add(factor, factor);
            }
        }
        for sum in sums {
            black_box(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::is_emulated;

    #[test]
    fn two_threads_are_not_slower_than_a_tenth_of_a_gigaflop() {
        let least = if is_emulated() { 1e6 } else { 1e8 };
        assert!(peak_flops(&Cpu::new(2, Level::best())) > least);
    }
}
