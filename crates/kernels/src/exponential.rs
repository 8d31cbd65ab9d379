//! `exp` and what is made of it, as polynomials: they become vectors, and give the same bits on every machine.
//!
//! The error bounds are measured against f64 over dense grids (tests below). Coefficients are minimax fits in f64,
//! rounded; none of the functions has a branch that is not a selection.

use crate::simd::{ROUND, Vector};

/// `eˣ` within 1 ulp, subnormal results within one of their steps; 0, infinity and NaN as in IEEE 754.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Beyond these the result is 0 or infinity. Written as selections, so that NaN goes through.
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    // SAFETY: single numbers need no level.
    let (p, shifted) = unsafe { mantissa_and_exponent(x, None) };
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    // 2ⁿ in two factors: n = -150 or 128 is no exponent of an f32.
    let half = n >> 1;
    p * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// `eˣ`, or `e^(x + low)`, for `x` up to 0, and 0 where `eˣ` is less than the least normal number: with less work.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
unsafe fn exp_up_to_0<V: Vector>(x: V, low: Option<V>) -> V {
    /// ln 2⁻¹²⁶, rounded up.
    const LEAST: f32 = -87.336_54;
    // SAFETY: by the caller's promise.
    unsafe {
        let least = V::splat(LEAST);
        let (p, shifted) = mantissa_and_exponent(x.at_least(least), low);
        x.if_below(least, V::splat(0.0), p.mul(shifted.power_of_two()))
    }
}

/// `eˣ`, or `e^(x + low)`, is the first times 2 to what the second exceeds [`ROUND`] by.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
unsafe fn mantissa_and_exponent<V: Vector>(x: V, low: Option<V>) -> (V, V) {
    /// ln 2 in two words; the first has 9 bits, so that its product with a whole number is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // SAFETY: by the caller's promise.
    unsafe {
        // Rounded twice at every level: all give the same bits.
        let line = |x: V, factor: f32, term: V| x.mul(V::splat(factor)).add(term);
        let shifted = line(x, std::f32::consts::LOG2_E, V::splat(ROUND));
        let n = shifted.sub(V::splat(ROUND));
        let mut r = x.sub(n.mul(V::splat(LN2_HIGH))).sub(n.mul(V::splat(LN2_LOW)));
        if let Some(low) = low {
            r = r.add(low);
        }
        // By pairs (Estrin): a chain of five steps, each waiting for the last, takes longer than one more multiplication.
        let square = r.mul(r);
        let low_pair = line(r, 0.166_666_65, V::splat(0.5));
        let middle_pair = line(r, 8.333_452e-3, V::splat(4.166_579_6e-2));
        let high_pair = line(r, 1.987_569_1e-4, V::splat(1.398_199_9e-3));
        let p = high_pair.mul(square).add(middle_pair).mul(square).add(low_pair);
        (p.mul(square).add(r).add(V::splat(1.0)), shifted)
    }
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `1 / (1 + e⁻ˣ)` and `1 / (1 + eˣ)`, each within 3 ulp.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
pub(crate) unsafe fn sigmoids<V: Vector>(x: V) -> (V, V) {
    // SAFETY: by the caller's promise.
    unsafe {
        let zero = V::splat(0.0);
        let e = exp_up_to_0(x.at_most(zero.sub(x)), None);
        let larger = V::splat(1.0).div(V::splat(1.0).add(e));
        // The smaller side keeps its relative accuracy: 1 - larger would not.
        let smaller = e.mul(larger);
        (x.if_below(zero, smaller, larger), x.if_below(zero, larger, smaller))
    }
}

/// `tanh x` within 3 ulp.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
pub(crate) unsafe fn tanh<V: Vector>(x: V) -> V {
    // SAFETY: by the caller's promise.
    unsafe {
        let (zero, one) = (V::splat(0.0), V::splat(1.0));
        let size = x.if_below(zero, zero.sub(x), x);
        let square = x.mul(x);
        // An odd polynomial where the quotient would lose digits.
        let mut p = V::splat(-5.704_988_7e-3);
        for c in [2.063_909e-2, -5.373_971_6e-2, 0.133_314_77, -0.333_332_8] {
            p = p.mul(square).add(V::splat(c));
        }
        let near = p.mul(square).mul(x).add(x);
        // Beyond 10 it is 1 in f32.
        let (p, shifted) = mantissa_and_exponent(size.add(size).at_most(V::splat(20.0)), None);
        let e = p.mul(shifted.power_of_two());
        let far = one.sub(V::splat(2.0).div(e.add(one)));
        size.if_below(V::splat(0.625), near, x.if_below(zero, zero.sub(far), far))
    }
}

/// `ln(1 + eˣ)` within 4 ulp.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
pub(crate) unsafe fn softplus<V: Vector>(x: V) -> V {
    // SAFETY: by the caller's promise.
    unsafe {
        let zero = V::splat(0.0);
        let e = exp_up_to_0(x.at_most(zero.sub(x)), None);
        // ln(1 + e) = 2 artanh f with f = e / (2 + e) ≤ 1/3: a series in f².
        let f = e.div(e.add(V::splat(2.0)));
        let square = f.mul(f);
        let mut p = V::splat(1.0 / 15.0);
        for c in [1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0] {
            p = p.mul(square).add(V::splat(c));
        }
        let log = V::splat(2.0).mul(f.add(f.mul(square).mul(p)));
        x.if_at_most(zero, log, x.add(log))
    }
}

/// `Φ(x)` and `φ(x)`: share of a normal distribution below `x`, and its density there, each within 9 ulp; 0 where the density
/// is less than the least normal number.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
pub(crate) unsafe fn normals<V: Vector>(x: V) -> (V, V) {
    /// 2¹² + 1: a product with it, less what rounding adds, has the upper half of a number's digits.
    const SPLIT: f32 = 4097.0;
    // SAFETY: by the caller's promise.
    unsafe {
        let (zero, one, half) = (V::splat(0.0), V::splat(1.0), V::splat(-0.5));
        // Beyond 15 both are 0 or 1 in f32, and squares stay finite. NaN goes through.
        let size = x.if_below(zero, zero.sub(x), x).at_most(V::splat(15.0));
        // e^(-x²/2) magnifies the rounding of the square a hundredfold: what it lost joins as a second word.
        let square = size.mul(size);
        let split = size.mul(V::splat(SPLIT));
        let high = split.sub(split.sub(size));
        let lost = high.mul(high).sub(square).add(size.sub(high).mul(size.add(high)));
        let e = exp_up_to_0(half.mul(square), Some(half.mul(lost)));
        // erfc z = e^(-z²) · t · P(t) with t = 1 / (1 + 0.5 z), within 4e-9 for z = |x| / √2 up to 10.5.
        let t = one.div(one.add(V::splat(0.5 * std::f32::consts::FRAC_1_SQRT_2).mul(size)));
        let mut p = V::splat(0.036_316_29);
        for c in [
            -0.194_289_05,
            0.389_877_52,
            -0.302_243_53,
            -0.009_922_549,
            0.027_812_933,
            0.058_084_79,
            0.184_701_87,
            0.245_335_71,
            0.282_236_92,
            0.282_089_2,
        ] {
            p = p.mul(t).add(V::splat(c));
        }
        let tail = V::splat(0.5).mul(e).mul(t).mul(p);
        // At 0 either will do; of NaN the tail is NaN.
        let below = x.if_at_most(zero, tail, one.sub(tail));
        (below, e.mul(V::splat(0.398_942_3)))
    }
}

/// `ln x` of a normal positive `x` (or NaN) in f64, within 2 ulp: the logarithm of the system's library differs between systems.
pub(crate) fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    if x.is_nan() {
        return x;
    }
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut m = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh f, f = (m - 1) / (m + 1) ≤ 0.172: the last term is below 1e-18 of the first.
    let f = (m - 1.0) / (m + 1.0);
    let square = f * f;
    let mut series = 0.0;
    for odd in (1..=23).rev().step_by(2) {
        series = series * square + 1.0 / f64::from(odd);
    }
    2.0 * f * series + exponent as f64 * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::unary_forward;
    use crate::unary::Unary;

    fn sigmoid(x: f32) -> f32 {
        // SAFETY: single numbers need no level.
        unsafe { sigmoids(x).0 }
    }

    fn tanh(x: f32) -> f32 {
        // SAFETY: as above.
        unsafe { super::tanh(x) }
    }

    fn softplus(x: f32) -> f32 {
        // SAFETY: as above.
        unsafe { super::softplus(x) }
    }

    fn normal(x: f32) -> (f32, f32) {
        // SAFETY: as above.
        unsafe { normals(x) }
    }

    /// Steps of `have` from what is wanted, rounded; where that is subnormal, its steps are those of the least normal.
    fn ulps(have: f32, want: f64) -> f64 {
        let size = (want.abs() as f32).max(f32::MIN_POSITIVE);
        let step = f64::from(f32::from_bits(size.to_bits() + 1)) - f64::from(size);
        (f64::from(have) - want).abs() / step
    }

    /// The largest error over a dense grid.
    fn worst(low: f32, high: f32, f: impl Fn(f32) -> f32, want: impl Fn(f64) -> f64) -> (f64, f32) {
        let count = 100_000;
        let at = |i: usize| low + (high - low) * (i as f32 / count as f32);
        (0..=count)
            .map(at)
            .map(|x| (ulps(f(x), want(f64::from(x))), x))
            .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a })
    }

    fn check(name: &str, bound: f64, low: f32, high: f32, f: impl Fn(f32) -> f32, want: impl Fn(f64) -> f64) {
        let (error, at) = worst(low, high, f, want);
        assert!(error <= bound, "{name}: {error:.2} ulp at {at}");
    }

    fn reference(f: Unary) -> impl Fn(f64) -> f64 {
        move |x| unary_forward(f, &[x])[0]
    }

    #[test]
    fn errors_stay_within_the_documented_bounds() {
        for (low, high) in [(-103.0, 88.7), (-1.0, 1.0), (-1e-3, 1e-3)] {
            check("exp", 1.0, low, high, exp, f64::exp);
        }
        for (low, high) in [(-87.0, 87.0), (-10.0, 10.0), (-1.0, 1.0)] {
            check("sigmoid", 3.0, low, high, sigmoid, reference(Unary::Sigmoid));
            check("softplus", 4.0, low, high, softplus, reference(Unary::Softplus));
            check("tanh", 3.0, low, high, tanh, f64::tanh);
        }
        for (low, high) in [(-13.0, 13.0), (-2.0, 2.0), (-0.1, 0.1)] {
            let below = |x: f64| if x == 0.0 { 0.5 } else { unary_forward(Unary::Gelu, &[x])[0] / x };
            check("normal", 9.0, low, high, |x| normal(x).0, below);
            let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            check("density", 9.0, low, high, |x| normal(x).1, density);
        }
    }

    #[test]
    fn ends_are_as_in_ieee_754() {
        assert_eq!((exp(0.0), exp(-0.0), exp(f32::NEG_INFINITY), exp(f32::INFINITY)), (1.0, 1.0, 0.0, f32::INFINITY));
        assert_eq!((exp(-1e30), exp(1e30), exp(88.8)), (0.0, f32::INFINITY, f32::INFINITY));
        assert_eq!((sigmoid(-1e30), sigmoid(1e30), tanh(-1e30), tanh(0.0)), (0.0, 1.0, -1.0, 0.0));
        assert_eq!((softplus(1e30), softplus(-1e30), normal(1e30), normal(-1e30)), (1e30, 0.0, (1.0, 0.0), (0.0, 0.0)));
        for f in [exp, sigmoid, tanh, softplus, |x| normal(x).0, |x| normal(x).1] {
            assert!(f(f32::NAN).is_nan());
        }
    }

    #[test]
    fn the_logarithm_is_that_of_the_library() {
        for i in 0..100_000 {
            let x = (f64::from(i) * 0.013_7 - 700.0).exp();
            let want = x.ln();
            assert!((ln(x) - want).abs() <= 2.0 * f64::EPSILON * want.abs().max(1e-3), "{x}: {} {want}", ln(x));
        }
        assert!(ln(f64::NAN).is_nan());
        assert_eq!(ln(1.0), 0.0);
    }
}
