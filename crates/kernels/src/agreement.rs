//! What the tests of passes share: inputs by formula, and one result for every level and number of threads.

use std::sync::OnceLock;

use crate::{Cpu, Level};

/// Around what loops unroll by and parts are cut at: none, one, vectors less and more one, primes, more than a part.
pub(crate) const LENGTHS: &[usize] = &[0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 257, 16_384, 16_385, 50_021];

/// Whether `scripts/neon` emulates the machine, far slower than one is: then convolutions are tested at its
/// best level alone, for plain Rust is tested where nothing is emulated, and without Winograd's largest shapes.
pub(crate) fn is_emulated() -> bool {
    std::env::var_os("AVIZOR_EMULATED").is_some()
}

/// Whether the convolutions of a level are tested.
pub(crate) fn is_tested(level: Level) -> bool {
    level.is_available() && (level == Level::best() || !is_emulated())
}

/// Numbers in `-1.0..1.0` without pattern, a different row for every `salt`.
pub(crate) fn noise(len: usize, salt: u64) -> Vec<f32> {
    let mut state = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// The same numbers, exactly.
pub(crate) fn exact(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// What `compute` gives, which is the same bits at every level and with 1, 2, 3 and 8 threads.
pub(crate) fn everywhere<const N: usize>(case: &str, compute: impl Fn(&Cpu) -> [Vec<f32>; N]) -> [Vec<f32>; N] {
    let mut first: Option<[Vec<f32>; N]> = None;
    for cpu in cpus() {
        let result = compute(cpu);
        let first = first.get_or_insert_with(|| result.clone());
        for (output, (have, want)) in result.iter().zip(first.iter()).enumerate() {
            assert_eq!(have.len(), want.len());
            for (at, (have, want)) in have.iter().zip(want).enumerate() {
                let same = have.to_bits() == want.to_bits() || have.is_nan() && want.is_nan();
                let (level, threads) = (cpu.level(), cpu.threads());
                assert!(same, "{case}: output {output} at {at}: {have} with {level}, {threads} threads, else {want}");
            }
        }
    }
    first.unwrap_or_else(|| panic!("{case}: no level"))
}

fn cpus() -> &'static [Cpu] {
    static CPUS: OnceLock<Vec<Cpu>> = OnceLock::new();
    CPUS.get_or_init(|| Level::available().flat_map(|level| [1, 2, 3, 8].map(|t| Cpu::new(t, level))).collect())
}

/// Asserts that the difference is at most `1e-5` of what is wanted, both as root mean squares.
pub(crate) fn assert_agrees(case: &str, have: &[f32], want: &[f64]) {
    assert_within(case, have, want, 1e-5);
}

/// [`assert_agrees`] with another share than `1e-5`.
pub(crate) fn assert_within(case: &str, have: &[f32], want: &[f64], share: f64) {
    assert_eq!(have.len(), want.len(), "{case}");
    let (mut off, mut size) = (0.0, 0.0);
    for (at, (&have, want)) in have.iter().zip(want).enumerate() {
        assert_eq!(have.is_nan(), want.is_nan(), "{case}: {have} at {at}, wanted {want}");
        if want.is_finite() {
            off += (f64::from(have) - want).powi(2);
            size += want.powi(2);
        }
    }
    let (off, size) = (off.sqrt(), size.sqrt());
    // Where all that is wanted is zero, rounding may leave what it leaves of numbers near 1.
    assert!(off <= share * size.max(1e-3), "{case}: off by {:.2e} of {size:.3e}", off / size);
}

/// Asserts that `gradient` is the slope of `loss` at `x` along every axis, by central differences in f64.
pub(crate) fn assert_is_slope(case: &str, x: &[f64], gradient: &[f64], loss: impl Fn(&[f64]) -> f64) {
    const STEP: f64 = 1e-5;
    assert_eq!(x.len(), gradient.len(), "{case}");
    for i in 0..x.len() {
        let at = |moved: f64| {
            let mut x = x.to_vec();
            x[i] += moved;
            loss(&x)
        };
        let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let off = (slope - gradient[i]).abs();
        assert!(off <= 1e-7 * (1.0 + slope.abs()), "{case}: {} at {i}, differences say {slope}", gradient[i]);
    }
}

/// `Σ weights · y`: a loss whose gradient is `weights`.
pub(crate) fn weigh(weights: &[f64], y: &[f64]) -> f64 {
    weights.iter().zip(y).map(|(weight, y)| weight * y).sum()
}
