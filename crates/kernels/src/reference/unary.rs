//! Activations by their definitions.

use crate::unary::Unary;

/// `f(x)`.
pub fn unary_forward(f: Unary, x: &[f64]) -> Vec<f64> {
    x.iter().map(|&x| value(f, x)).collect()
}

/// `dy · f'(x)`: always from the input. Relu has slope 0 at 0, Relu6 and HardSigmoid at both ends, HardSwish 0 at
/// -3 and 1 at 3.
pub fn unary_backward(f: Unary, x: &[f64], dy: &[f64]) -> Vec<f64> {
    x.iter().zip(dy).map(|(&x, dy)| dy * slope(f, x)).collect()
}

fn value(f: Unary, x: f64) -> f64 {
    match f {
        Unary::Relu if x.is_nan() => x,
        Unary::Relu => x.max(0.0),
        Unary::Relu6 => x.clamp(0.0, 6.0),
        Unary::Silu => x * sigmoid(x),
        Unary::Gelu => x * normal_below(x),
        Unary::Sigmoid => sigmoid(x),
        Unary::Tanh => x.tanh(),
        Unary::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Unary::HardSigmoid => hard_sigmoid(x),
        Unary::HardSwish => x * hard_sigmoid(x),
    }
}

fn slope(f: Unary, x: f64) -> f64 {
    match f {
        Unary::Relu => f64::from(u8::from(x > 0.0)),
        Unary::Relu6 => f64::from(u8::from(x > 0.0 && x < 6.0)),
        Unary::Silu => sigmoid(x) * (1.0 + x * sigmoid(-x)),
        Unary::Gelu => normal_below(x) + x * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt(),
        Unary::Sigmoid => sigmoid(x) * sigmoid(-x),
        Unary::Tanh => 1.0 - x.tanh().powi(2),
        Unary::Softplus => sigmoid(x),
        Unary::HardSigmoid => f64::from(u8::from(x > -3.0 && x < 3.0)) / 6.0,
        Unary::HardSwish if x <= -3.0 => 0.0,
        Unary::HardSwish if x >= 3.0 => 1.0,
        Unary::HardSwish => x / 3.0 + 0.5,
    }
}

fn hard_sigmoid(x: f64) -> f64 {
    ((x + 3.0) / 6.0).clamp(0.0, 1.0)
}

fn sigmoid(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

/// `Φ(x)`, by the series of erf near 0 and Lentz's continued fraction of erfc beyond: Abramowitz and Stegun 7.1.6
/// and 7.1.14.
fn normal_below(x: f64) -> f64 {
    let z = x.abs() * std::f64::consts::FRAC_1_SQRT_2;
    let tail = 0.5 * if z < 2.0 { 1.0 - erf_series(z) } else { erfc_fraction(z) };
    if x > 0.0 { 1.0 - tail } else { tail }
}

fn erf_series(z: f64) -> f64 {
    let (mut term, mut sum) = (z, z);
    for n in 1..80 {
        term *= 2.0 * z * z / f64::from(2 * n + 1);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-z * z).exp() * sum
}

fn erfc_fraction(z: f64) -> f64 {
    let mut fraction = z;
    for n in (1..200).rev() {
        fraction = z + f64::from(n) / 2.0 / fraction;
    }
    (-z * z).exp() / std::f64::consts::PI.sqrt() / fraction
}
