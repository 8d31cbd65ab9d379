//! RMSprop.

use crate::Cpu;
use crate::parts::{PART, for_each_part};
use crate::per_level::per_level;

/// Settings of `torch.optim.RMSprop`, which is not centred here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// Learning rate.
    pub lr: f64,
    /// How much of the mean squared gradient stays.
    pub alpha: f64,
    /// Added to the root of the mean square, outside it (TensorFlow adds it inside).
    pub eps: f64,
    /// Multiple of the parameters that joins the gradient.
    pub weight_decay: f64,
    /// How much of the last step stays; with 0 there is no such buffer.
    pub momentum: f64,
}

/// One step; `square_avg` and `momentum_buf` are zero before the first. `momentum_buf` may be empty when there is no
/// momentum.
///
/// # Panics
/// When slices are not equally long.
pub fn rmsprop(
    cpu: &Cpu,
    settings: RmsProp,
    params: &mut [f32],
    grads: &[f32],
    square_avg: &mut [f32],
    momentum_buf: &mut [f32],
) {
    assert_eq!(params.len(), grads.len(), "one gradient a parameter");
    let numbers = RmsNumbers {
        lr: settings.lr as f32,
        keep: settings.alpha as f32,
        join: (1.0 - settings.alpha) as f32,
        eps: settings.eps as f32,
        decay: settings.weight_decay as f32,
        momentum: settings.momentum as f32,
    };
    if settings.momentum == 0.0 {
        for_each_part(cpu, PART, [params, square_avg], |range, [params, square_avg]| {
            plain_part(cpu, numbers, params, &grads[range], square_avg);
        });
    } else {
        for_each_part(cpu, PART, [params, square_avg, momentum_buf], |range, [params, square_avg, momentum_buf]| {
            momentum_part(cpu, numbers, params, &grads[range], square_avg, momentum_buf);
        });
    }
}

/// What a step needs of its settings.
#[derive(Clone, Copy)]
struct RmsNumbers {
    lr: f32,
    keep: f32,
    join: f32,
    eps: f32,
    decay: f32,
    momentum: f32,
}

impl RmsNumbers {
    /// The gradient over its root mean square, which moves on.
    #[inline(always)]
    fn direction(self, p: f32, g: f32, square_avg: &mut f32) -> f32 {
        let g = g + self.decay * p;
        *square_avg = self.keep * *square_avg + self.join * (g * g);
        g / (square_avg.sqrt() + self.eps)
    }
}

per_level! {
    fn plain_part(numbers: RmsNumbers, params: &mut [f32], grads: &[f32], square_avg: &mut [f32]) {
        for ((p, g), s) in params.iter_mut().zip(grads).zip(square_avg) {
            *p -= numbers.lr * numbers.direction(*p, *g, s);
        }
    }
}

per_level! {
    fn momentum_part(
        numbers: RmsNumbers, params: &mut [f32], grads: &[f32], square_avg: &mut [f32], momentum_buf: &mut [f32],
    ) {
        for (((p, g), s), b) in params.iter_mut().zip(grads).zip(square_avg).zip(momentum_buf) {
            *b = numbers.momentum * *b + numbers.direction(*p, *g, s);
            *p -= numbers.lr * *b;
        }
    }
}
