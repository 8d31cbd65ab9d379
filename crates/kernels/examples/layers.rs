//! Speed of the convolutions of ResNet-18 and of small networks.
//!
//! Milliseconds, effective GFLOP/s (operations of the direct computation a second) and their share of the machine's own
//! multiply-add peak, which a method of fewer multiplications can pass. The passes are forward as training computes it,
//! forward as inference does, the gradients of the input and of the weight.
//!
//! `cargo run --release -p avizor-kernels --example layers [picture size] [batch] [filter of the layer's name]`. The
//! chosen method and direct convolution run in alternation; "×" is how many times faster the chosen one is. Obeys
//! `AVIZOR_CPU` (a level) and `AVIZOR_THREADS`. On a shared machine: `chrt -f 10`.
#![allow(clippy::print_stdout, reason = "a program that prints a table")]

mod shared;

use avizor_kernels::conv2d::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dMethods, Conv2dShape, Epilogue};
use avizor_kernels::{Cpu, peak_flops};
use shared::{Tensors, best, square};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (size, batch) = (number(160), number(32));
    let filter = arguments.next().unwrap_or_default();
    let cpu = shared::cpu();
    let (level, threads, peak) = (cpu.level(), cpu.threads(), 1e-9 * peak_flops(&cpu));
    println!("{level}, {threads} threads, multiply-add peak {peak:.0} GFLOP/s; {size} px, batch {batch}");
    println!("{:<29}{:<6}{:>9}{:>9}{:>6}{:>7}{:>7}  method", "layer", "pass", "ms", "GFLOP/s", "peak", "×", "MiB");
    for (name, shape) in layers(size, batch).into_iter().filter(|(name, _)| name.contains(&filter)) {
        for (pass, measured) in ["fwd", "infer", "dx", "dw"].into_iter().zip(measure(&cpu, shape)) {
            let Measured { method, seconds: [chosen, direct], workspace } = measured;
            let rate = 2e-9 * shape.multiply_adds() as f64 / chosen;
            let (share, faster, mib) = (100.0 * rate / peak, direct / chosen, workspace as f64 / (1 << 18) as f64);
            let ms = chosen * 1e3;
            println!("{name:<29}{pass:<6}{ms:>9.2}{rate:>9.0}{share:>5.0}%{faster:>7.2}{mib:>7.1}  {method}");
        }
    }
}

fn layers(size: usize, batch: usize) -> Vec<(String, Conv2dShape)> {
    let at = |scale: usize, channels, kernel, stride| square(batch, size / scale, channels, kernel, stride);
    let mut large = vec![at(1, [3, 64], 7, 2)];
    for (scale, channels) in [(4, 64), (8, 128), (16, 256), (32, 512)] {
        large.push(at(scale, [channels, channels], 3, 1));
        if channels < 512 {
            large.extend([3, 1].map(|kernel| at(scale, [channels, 2 * channels], kernel, 2)));
        }
    }
    let depthwise = Conv2dShape { groups: 144, ..at(4, [144, 144], 3, 1) };
    large.extend([at(4, [64, 256], 1, 1), at(16, [1024, 256], 1, 1), depthwise]);
    // The small network of 60 px without padding, and a ResNet for 32 px.
    let unpadded = |(side, channels)| Conv2dShape { padding: [0; 2], ..square(batch, side, channels, 3, 1) };
    let padded = |(side, channels)| square(4 * batch, side, [channels; 2], 3, 1);
    let mut small = [(60, [3, 32]), (29, [32, 64]), (13, [64, 128]), (5, [128, 256])].map(unpadded).to_vec();
    small.extend([(32, 64), (16, 128), (8, 256), (4, 512)].map(padded));

    let large = large.into_iter().map(|shape| {
        let Conv2dShape { kernel: [kernel, _], stride: [stride, _], .. } = shape;
        let kind = if shape.groups > 1 { " depthwise" } else { "" };
        (format!("{kernel}x{kernel}/{stride} {}{kind}", channels_and_side(&shape)), shape)
    });
    let small = small.into_iter().map(|shape| (format!("small {}", channels_and_side(&shape)), shape));
    large.chain(small).collect()
}

fn channels_and_side(shape: &Conv2dShape) -> String {
    format!("{}->{} @{}", shape.in_channels, shape.out_channels, shape.height)
}

/// A pass by the chosen method.
struct Measured {
    method: &'static str,
    /// Of the chosen method and of direct convolution, each the best of several runs.
    seconds: [f64; 2],
    /// Numbers.
    workspace: usize,
}

/// Forward in training and in inference, gradient of the input and of the weight.
fn measure(cpu: &Cpu, shape: Conv2dShape) -> [Measured; 4] {
    let training = [Conv2dMethods::Auto, Conv2dMethods::Direct];
    let inference = [Conv2dMethods::Fast, Conv2dMethods::Direct];
    let forward = training.map(|methods| Conv2dForward::with_methods(cpu, shape, methods));
    let infer = inference.map(|methods| Conv2dForward::with_methods(cpu, shape, methods));
    let grad_input = training.map(|methods| Conv2dGradInput::with_methods(cpu, shape, methods));
    let grad_weight = training.map(|methods| Conv2dGradWeight::with_methods(cpu, shape, methods));
    let told = [
        forward.map(|plan| (plan.kernel_name(), plan.workspace())),
        infer.map(|plan| (plan.kernel_name(), plan.workspace())),
        grad_input.map(|plan| (plan.kernel_name(), plan.workspace())),
        grad_weight.map(|plan| (plan.kernel_name(), plan.workspace())),
    ];
    let workspace = told.as_flattened().iter().map(|&(_, workspace)| workspace).max().unwrap_or(0);
    let mut tensors = Tensors::new(&shape, workspace);
    let ([x, weight, dy], [y, dx, dweight, workspace]) = tensors.slices();
    // In inference a weight stays, and is packed once.
    let packed = infer.map(|plan| {
        let plan = plan.packed()?;
        let mut packed = vec![0.0; plan.packed_len()];
        plan.pack(cpu, weight, &mut packed);
        Some((plan, packed))
    });
    let mut results = told.map(|[(method, workspace), _]| Measured { method, seconds: [f64::INFINITY; 2], workspace });
    let rounds = if results.iter().all(|result| result.method.starts_with("winograd")) { 3 } else { 1 };
    for _ in 0..rounds {
        for i in 0..2 {
            let seconds = [
                best(|| forward[i].run(cpu, x, weight, Epilogue::NONE, y, workspace)),
                best(|| match &packed[i] {
                    Some((plan, weight)) => plan.run(cpu, x, weight, Epilogue::NONE, y, workspace),
                    None => infer[i].run(cpu, x, weight, Epilogue::NONE, y, workspace),
                }),
                best(|| grad_input[i].run(cpu, dy, weight, dx, workspace)),
                best(|| grad_weight[i].run(cpu, x, dy, dweight, workspace)),
            ];
            for (result, seconds) in results.iter_mut().zip(seconds) {
                result.seconds[i] = result.seconds[i].min(seconds);
            }
        }
    }
    results
}
