//! Steps of the optimizers as PyTorch's documentation states them. Slices change in place.

use crate::optimizer::{Adam, RmsProp, Sgd};

/// `torch.optim.SGD`.
pub fn sgd(settings: &Sgd, params: &mut [f64], grads: &[f64], velocity: &mut [f64]) {
    for i in 0..params.len() {
        let mut d = grads[i] + settings.weight_decay * params[i];
        if settings.momentum != 0.0 {
            velocity[i] = match settings.first_step {
                true => d,
                false => settings.momentum * velocity[i] + (1.0 - settings.dampening) * d,
            };
            d = if settings.nesterov { d + settings.momentum * velocity[i] } else { velocity[i] };
        }
        params[i] -= settings.lr * d;
    }
}

/// `torch.optim.Adam`, or `AdamW` where decoupled.
pub fn adam(settings: &Adam, params: &mut [f64], grads: &[f64], m: &mut [f64], v: &mut [f64]) {
    let step = settings.step as i32;
    for i in 0..params.len() {
        let mut g = grads[i];
        if settings.decoupled {
            params[i] -= settings.lr * settings.weight_decay * params[i];
        } else {
            g += settings.weight_decay * params[i];
        }
        m[i] = settings.beta1 * m[i] + (1.0 - settings.beta1) * g;
        v[i] = settings.beta2 * v[i] + (1.0 - settings.beta2) * g * g;
        let mean = m[i] / (1.0 - settings.beta1.powi(step));
        let square = v[i] / (1.0 - settings.beta2.powi(step));
        params[i] -= settings.lr * mean / (square.sqrt() + settings.eps);
    }
}

/// `torch.optim.RMSprop`.
pub fn rmsprop(
    settings: &RmsProp,
    params: &mut [f64],
    grads: &[f64],
    square_avg: &mut [f64],
    momentum_buf: &mut [f64],
) {
    for i in 0..params.len() {
        let g = grads[i] + settings.weight_decay * params[i];
        square_avg[i] = settings.alpha * square_avg[i] + (1.0 - settings.alpha) * g * g;
        let mut d = g / (square_avg[i].sqrt() + settings.eps);
        if settings.momentum > 0.0 {
            momentum_buf[i] = settings.momentum * momentum_buf[i] + d;
            d = momentum_buf[i];
        }
        params[i] -= settings.lr * d;
    }
}
