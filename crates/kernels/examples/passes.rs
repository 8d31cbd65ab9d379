//! How fast the passes over memory are: `cargo run --release -p avizor-kernels --example passes`.
//!
//! A row tells the median of the rounds and the traffic it stands for: what a pass reads and writes, each once (a pass
//! that reads twice counts twice). Obeys `AVIZOR_CPU` (a level) and `AVIZOR_THREADS`.
#![allow(clippy::print_stdout, reason = "an example's results")]

#[expect(dead_code, reason = "convolutions are measured elsewhere")]
mod shared;

use std::time::Instant;

use avizor_kernels::batch_norm::{
    AfterNorm, BatchNormShape, SavedNorm, batch_norm_backward, batch_norm_infer, batch_norm_train, batch_norm_workspace,
};
use avizor_kernels::elementwise::{add, add_relu, copy, sum_rows, sum_rows_workspace};
use avizor_kernels::optimizer::{Adam, Sgd, adam, sgd};
use avizor_kernels::pool2d::{Pool2dShape, global_avg_pool, max_pool2d, max_pool2d_backward};
use avizor_kernels::unary::{Unary, relu, relu_backward_in_place, unary_backward, unary_forward};
use avizor_kernels::{Cpu, dropout, pixels};

const ROUNDS: usize = 15;

fn main() {
    let cpu = shared::cpu();
    println!("{}, {} threads, {ROUNDS} rounds", cpu.level(), cpu.threads());
    for (rows, channels) in [(51_200, 64), (12_800, 128), (3_200, 256), (800, 512)] {
        activations(&cpu, rows, channels);
    }
    pools(&cpu);
    pictures(&cpu);
    optimizers(&cpu);
}

/// Prints the median time and the bytes moved in it.
fn measure(name: &str, bytes: usize, mut run: impl FnMut()) {
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let (median, best) = (seconds[ROUNDS / 2], seconds[0]);
    let speed = |seconds: f64| bytes as f64 / seconds * 1e-9;
    println!("{name:<42}{:>9.3} ms{:>8.1} GB/s  best{:>7.1} GB/s", median * 1e3, speed(median), speed(best));
}

fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (0.37 * i as f32).sin()).collect()
}

fn activations(cpu: &Cpu, rows: usize, channels: usize) {
    let shape = BatchNormShape { rows, channels };
    let bytes = 4 * shape.len();
    let (x, dy, mut y) = (numbers(shape.len()), numbers(shape.len()), vec![0.0; shape.len()]);
    let (gamma, beta) = (vec![1.0; channels], vec![0.0; channels]);
    let (mut mean, mut var) = (vec![0.0; channels], vec![1.0; channels]);
    let (mut save_mean, mut save_inv_std, mut save_offset) = (mean.clone(), var.clone(), mean.clone());
    let (mut dgamma, mut dbeta) = (mean.clone(), mean.clone());
    let mut workspace = vec![0.0; batch_norm_workspace(shape).max(sum_rows_workspace(rows, channels))];
    let name = |pass: &str| format!("{pass} {rows} × {channels}");
    measure(&name("copy"), 2 * bytes, || copy(cpu, &x, &mut y));
    for activation in [None, Some(Unary::Relu), Some(Unary::Silu)] {
        measure(&name(&format!("batch_norm_train, {activation:?}")), 3 * bytes, || {
            batch_norm_train(
                cpu,
                shape,
                &x,
                &gamma,
                &beta,
                1e-5,
                0.1,
                &mut mean,
                &mut var,
                AfterNorm { residual: None, activation },
                &mut y,
                SavedNorm { mean: &mut save_mean, inv_std: &mut save_inv_std, offset: &mut save_offset },
                &mut workspace,
            );
        });
    }
    measure(&name("batch_norm_infer"), 2 * bytes, || {
        batch_norm_infer(cpu, shape, &x, &gamma, &beta, &mean, &var, 1e-5, &mut y);
    });
    for activation in [None, Some(Unary::Relu), Some(Unary::Silu)] {
        measure(&name(&format!("batch_norm_backward, {activation:?}")), 5 * bytes, || {
            let saved = [&*save_mean, &save_inv_std, &save_offset];
            let ws = &mut workspace;
            batch_norm_backward(cpu, shape, activation, &x, &dy, &gamma, saved, &mut y, &mut dgamma, &mut dbeta, ws);
        });
    }
    measure(&name("sum_rows"), bytes, || sum_rows(cpu, rows, channels, &x, &mut dbeta, &mut workspace));
    measure(&name("global_avg_pool of 32"), bytes, || {
        global_avg_pool(cpu, 32, rows / 32, channels, &x, &mut y[..32 * channels]);
    });
    measure(&name("add"), 3 * bytes, || add(cpu, &x, &dy, &mut y));
    measure(&name("add_relu"), 3 * bytes, || add_relu(cpu, &x, &dy, &mut y));
    measure(&name("relu"), 2 * bytes, || relu(cpu, &x, &mut y));
    measure(&name("relu_backward_in_place"), 3 * bytes, || relu_backward_in_place(cpu, &x, &mut y));
    measure(&name("dropout"), 2 * bytes, || dropout::dropout(cpu, 7, 0.2, &x, &mut y));
    for f in [Unary::Silu, Unary::Gelu, Unary::Tanh] {
        measure(&name(&format!("{f:?}")), 2 * bytes, || unary_forward(cpu, f, &x, &mut y));
        measure(&name(&format!("{f:?} backward")), 3 * bytes, || unary_backward(cpu, f, &x, &dy, &mut y));
    }
}

fn pools(cpu: &Cpu) {
    let shape =
        Pool2dShape { batch: 32, height: 80, width: 80, channels: 64, kernel: [3, 3], stride: [2, 2], padding: [1, 1] };
    let (mut x, mut y) = (numbers(shape.input_len()), vec![0.0; shape.output_len()]);
    let mut places = vec![0; y.len()];
    let (input, output) = (4 * x.len(), 4 * y.len());
    measure("max_pool2d 80 × 80 × 64, 3/2", input + output, || max_pool2d(cpu, shape, &x, &mut y, None));
    measure("max_pool2d with places", input + output + places.len(), || {
        max_pool2d(cpu, shape, &x, &mut y, Some(&mut places));
    });
    measure("max_pool2d_backward", input + output + places.len(), || {
        max_pool2d_backward(cpu, shape, &places, &y, &mut x);
    });
}

fn pictures(cpu: &Cpu) {
    let pixels = 32 * 160 * 160;
    let (x, mut y) = (vec![100; 3 * pixels], vec![0.0; 3 * pixels]);
    measure("normalize_u8 of 32 × 160 × 160", 15 * pixels, || {
        pixels::normalize_u8(cpu, pixels, &x, [0.017; 3], [-2.0; 3], &mut y);
    });
}

fn optimizers(cpu: &Cpu) {
    let len = 11_700_000;
    let (mut params, grads) = (numbers(len), numbers(len));
    let (mut m, mut v) = (vec![0.0; len], vec![0.0; len]);
    let settings =
        Sgd { lr: 1e-3, momentum: 0.9, dampening: 0.0, nesterov: false, weight_decay: 1e-4, first_step: false };
    measure("sgd of 11.7 million, momentum", 5 * 4 * len, || sgd(cpu, settings, &mut params, &grads, &mut m));
    let settings = Adam { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0, decoupled: false, step: 3 };
    measure("adam of 11.7 million", 7 * 4 * len, || adam(cpu, settings, &mut params, &grads, &mut m, &mut v));
}
