//! Adam and AdamW.

use crate::Cpu;
use crate::parts::{PART, for_each_part};
use crate::per_level::per_level;

/// Settings of `torch.optim.Adam`, and of `AdamW` where `decoupled`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub lr: f64,
    /// How much of the mean gradient stays.
    pub beta1: f64,
    /// How much of the mean squared gradient stays.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub eps: f64,
    /// Multiple of the parameters that joins the gradient; where `decoupled`, the share of `lr` by which they shrink.
    pub weight_decay: f64,
    /// Weight decay apart from the gradient: AdamW (Loshchilov and Hutter 2019).
    pub decoupled: bool,
    /// This step's number, from 1.
    pub step: u64,
}

/// One step; `m` and `v`, the means of gradient and squared gradient, are zero before the first.
///
/// # Panics
/// When slices are not equally long, or `step` is 0.
pub fn adam(cpu: &Cpu, settings: Adam, params: &mut [f32], grads: &[f32], m: &mut [f32], v: &mut [f32]) {
    assert_eq!(params.len(), grads.len(), "one gradient a parameter");
    assert!(settings.step > 0, "steps count from 1");
    let Adam { lr, beta1, beta2, eps, weight_decay, decoupled, step } = settings;
    let (shrink, decay) = if decoupled { (1.0 - lr * weight_decay, 0.0) } else { (1.0, weight_decay) };
    let numbers = AdamNumbers {
        shrink: shrink as f32,
        decay: decay as f32,
        join1: (1.0 - beta1) as f32,
        keep2: beta2 as f32,
        join2: (1.0 - beta2) as f32,
        root_bias: (1.0 - power(beta2, step)).sqrt() as f32,
        eps: eps as f32,
        size: (lr / (1.0 - power(beta1, step))) as f32,
    };
    for_each_part(cpu, PART, [params, m, v], |range, [params, m, v]| {
        adam_part(cpu, numbers, params, &grads[range], m, v);
    });
}

/// What a step needs of its settings.
#[derive(Clone, Copy)]
struct AdamNumbers {
    shrink: f32,
    decay: f32,
    join1: f32,
    keep2: f32,
    join2: f32,
    root_bias: f32,
    eps: f32,
    size: f32,
}

per_level! {
    fn adam_part(numbers: AdamNumbers, params: &mut [f32], grads: &[f32], m: &mut [f32], v: &mut [f32]) {
        let AdamNumbers { shrink, decay, join1, keep2, join2, root_bias, eps, size } = numbers;
        for (((p, g), m), v) in params.iter_mut().zip(grads).zip(m).zip(v) {
            let shrunk = *p * shrink;
            let g = g + decay * *p;
            *m += join1 * (g - *m);
            *v = keep2 * *v + join2 * (g * g);
            *p = shrunk - size * (*m / (v.sqrt() / root_bias + eps));
        }
    }
}

/// By squaring: `powi` may round differently from machine to machine.
fn power(base: f64, exponent: u64) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}
