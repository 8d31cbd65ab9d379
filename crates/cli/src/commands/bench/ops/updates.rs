//! What is done once a step: pictures to numbers, the loss, the optimizer.

use std::rc::Rc;

use avizor_kernels::loss::{CrossEntropyShape, cross_entropy, cross_entropy_workspace, softmax};
use avizor_kernels::optimizer::{Adam, RmsProp, Sgd, adam, rmsprop, sgd};
use avizor_kernels::pixels::normalize_u8;

use super::passes::numbers;
use super::{Bench, Name, Work};
use crate::failure::Failure;

/// Parameters of ResNet-18 with 1,000 classes, about.
const PARAMETERS: usize = 11_700_000;

const CLASSES: usize = 1000;

pub(super) fn measure(bench: &mut Bench, batch: usize) -> Result<(), Failure> {
    pictures(bench, batch)?;
    losses(bench, batch)?;
    optimizers(bench)
}

fn pictures(bench: &mut Bench, batch: usize) -> Result<(), Failure> {
    for side in [160, 224] {
        let name = Name::new("pixels", &format!("3 @{side}"), "normalize");
        let (cpu, pixels) = (Rc::clone(&bench.cpu), batch * side * side);
        if bench.wants(&name) {
            let (x, mut y) = (vec![100; 3 * pixels], vec![0.0; 3 * pixels]);
            // A byte read and four written for each of three colours.
            bench.measure(name, Work::bytes(15 * pixels), || {
                normalize_u8(&cpu, pixels, &x, [0.017; 3], [-2.0; 3], &mut y);
            })?;
        }
    }
    Ok(())
}

fn losses(bench: &mut Bench, batch: usize) -> Result<(), Failure> {
    let cpu = Rc::clone(&bench.cpu);
    let shape = CrossEntropyShape { rows: batch, classes: CLASSES };
    let (logits, mut out, mut loss) = (numbers(batch * CLASSES), vec![0.0; batch * CLASSES], [0.0]);
    let labels: Vec<i32> = (0..batch).map(|row| (row % CLASSES) as i32).collect();
    let mut workspace = vec![0.0; cross_entropy_workspace(shape)];
    let work = Work::bytes(8 * logits.len());
    let layer = format!("{CLASSES} classes");
    bench
        .measure(Name::new("softmax", &layer, "forward"), work, || softmax(&cpu, batch, CLASSES, &logits, &mut out))?;
    bench.measure(Name::new("loss", &layer, "cross_entropy"), work, || {
        cross_entropy(&cpu, shape, &logits, &labels, None, 0.0, &mut loss, &mut out, &mut workspace);
    })
}

fn optimizers(bench: &mut Bench) -> Result<(), Failure> {
    const FAMILY: &str = "optimizer";
    let layer = "11.7 million parameters";
    if !bench.wants_any(FAMILY, layer, &["sgd", "adam", "rmsprop"]) {
        return Ok(());
    }
    let cpu = Rc::clone(&bench.cpu);
    let (mut params, grads) = (numbers(PARAMETERS), numbers(PARAMETERS));
    let (mut m, mut v) = (vec![0.0; PARAMETERS], vec![0.0; PARAMETERS]);
    let tensors = |count: usize| Work::bytes(4 * count * PARAMETERS);
    let name = |pass: &str| Name::new(FAMILY, layer, pass);
    let with_momentum =
        Sgd { lr: 1e-3, momentum: 0.9, dampening: 0.0, nesterov: false, weight_decay: 1e-4, first_step: false };
    bench.measure(name("sgd"), tensors(5), || sgd(&cpu, with_momentum, &mut params, &grads, &mut m))?;
    let settings = Adam { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, decoupled: false, step: 3 };
    bench.measure(name("adam"), tensors(7), || adam(&cpu, settings, &mut params, &grads, &mut m, &mut v))?;
    let settings = RmsProp { lr: 1e-4, alpha: 0.9, eps: 1e-7, weight_decay: 0.0, momentum: 0.0 };
    bench.measure(name("rmsprop"), tensors(5), || rmsprop(&cpu, settings, &mut params, &grads, &mut v, &mut []))
}
