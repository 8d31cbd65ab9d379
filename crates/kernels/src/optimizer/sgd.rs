//! Stochastic gradient descent with momentum.

use crate::Cpu;
use crate::parts::{PART, for_each_part};
use crate::per_level::per_level;

/// Settings of `torch.optim.SGD`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Learning rate.
    pub lr: f64,
    /// How much of the velocity stays; with 0 there is none.
    pub momentum: f64,
    /// How much of the gradient does not join the velocity.
    pub dampening: f64,
    /// Nesterov's momentum: look ahead along the new velocity.
    pub nesterov: bool,
    /// Multiple of the parameters that joins the gradient.
    pub weight_decay: f64,
    /// Whether this is the first step: the velocity starts as the gradient, without dampening.
    pub first_step: bool,
}

/// One step. `velocity` may be empty when there is no momentum.
///
/// # Panics
/// When slices are not equally long.
pub fn sgd(cpu: &Cpu, settings: Sgd, params: &mut [f32], grads: &[f32], velocity: &mut [f32]) {
    assert_eq!(params.len(), grads.len(), "one gradient a parameter");
    let (lr, decay) = (settings.lr as f32, settings.weight_decay as f32);
    if settings.momentum == 0.0 {
        for_each_part(cpu, PART, [params], |range, [params]| plain_part(cpu, lr, decay, params, &grads[range]));
        return;
    }
    let (keep, join) =
        if settings.first_step { (0.0, 1.0) } else { (settings.momentum as f32, (1.0 - settings.dampening) as f32) };
    // Without Nesterov the step is the velocity alone.
    let (ahead, now) = if settings.nesterov { (settings.momentum as f32, 1.0) } else { (1.0, 0.0) };
    if settings.first_step {
        // What an old velocity holds must not matter, be it NaN.
        crate::elementwise::fill(cpu, 0.0, velocity);
    }
    for_each_part(cpu, PART, [params, velocity], |range, [params, velocity]| {
        momentum_part(cpu, lr, decay, keep, join, ahead, now, params, &grads[range], velocity);
    });
}

per_level! {
    fn plain_part(lr: f32, decay: f32, params: &mut [f32], grads: &[f32]) {
        for (p, g) in params.iter_mut().zip(grads) {
            *p -= lr * (g + decay * *p);
        }
    }
}

per_level! {
    fn momentum_part(
        lr: f32, decay: f32, keep: f32, join: f32, ahead: f32, now: f32,
        params: &mut [f32], grads: &[f32], velocity: &mut [f32],
    ) {
        for ((p, g), v) in params.iter_mut().zip(grads).zip(velocity) {
            let d = g + decay * *p;
            *v = keep * *v + join * d;
            *p -= lr * (now * d + ahead * *v);
        }
    }
}
