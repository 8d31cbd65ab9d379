//! Speed of depthwise convolutions at 224 px, those of MobileNetV2 and the 5×5 ones of EfficientNet-B0.
//!
//! Milliseconds and GB/s of each pass, where the bytes are those of the input and the output, each once, and of a copy.
//!
//! `cargo run --release -p avizor-kernels --example depthwise [batch] [filter of the layer's name]`. Obeys `AVIZOR_CPU`
//! (a level) and `AVIZOR_THREADS`. On a shared machine: `chrt -f 10`.
#![allow(clippy::print_stdout, reason = "a program that prints a table")]

mod shared;

use avizor_kernels::Cpu;
use avizor_kernels::conv2d::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dShape, Epilogue};
use avizor_kernels::elementwise::copy;
use shared::{Tensors, best, square};

/// Side of the input, channels, kernel, stride.
const LAYERS: [[usize; 4]; 15] = [
    [112, 32, 3, 1],
    [112, 96, 3, 2],
    [56, 144, 3, 1],
    [56, 144, 3, 2],
    [28, 192, 3, 1],
    [28, 192, 3, 2],
    [14, 384, 3, 1],
    [14, 576, 3, 1],
    [14, 576, 3, 2],
    [7, 960, 3, 1],
    [56, 144, 5, 2],
    [28, 240, 5, 1],
    [14, 480, 5, 1],
    [14, 672, 5, 2],
    [7, 1152, 5, 1],
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let batch = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(32);
    let filter = arguments.next().unwrap_or_default();
    let cpu = shared::cpu();
    let (level, threads) = (cpu.level(), cpu.threads());
    println!("{level}, {threads} threads, batch {batch}; ms and GB/s, each the best of several runs");
    let header = ["forward", "input grad.", "weight grad.", "copy of x"].map(|pass| format!("{pass:>18}")).concat();
    println!("{:<22}{header}", "layer");
    for [side, channels, kernel, stride] in LAYERS {
        let name = format!("{kernel}x{kernel}/{stride} {channels} @{side}");
        if !name.contains(&filter) {
            continue;
        }
        let shape = Conv2dShape { groups: channels, ..square(batch, side, [channels; 2], kernel, stride) };
        let (one, two) = (4e-9 * (shape.input_len() + shape.output_len()) as f64, 8e-9 * shape.input_len() as f64);
        let seconds = measure(&cpu, shape);
        let columns: String = [one, one, one, two]
            .iter()
            .zip(seconds)
            .map(|(gigabytes, seconds)| format!("{:>10.2}{:>8.1}", seconds * 1e3, gigabytes / seconds))
            .collect();
        println!("{name:<22}{columns}");
    }
}

/// Seconds of forward, gradient of the input, of the weight, and of a copy of the input.
fn measure(cpu: &Cpu, shape: Conv2dShape) -> [f64; 4] {
    let forward = Conv2dForward::new(cpu, shape);
    let grad_input = Conv2dGradInput::new(cpu, shape);
    let grad_weight = Conv2dGradWeight::new(cpu, shape);
    let workspace = forward.workspace().max(grad_input.workspace()).max(grad_weight.workspace());
    let mut tensors = Tensors::new(&shape, workspace);
    let ([x, weight, dy], [y, dx, dweight, workspace]) = tensors.slices();
    [
        best(|| forward.run(cpu, x, weight, Epilogue::NONE, y, workspace)),
        best(|| grad_input.run(cpu, dy, weight, dx, workspace)),
        best(|| grad_weight.run(cpu, x, dy, dweight, workspace)),
        best(|| copy(cpu, x, dx)),
    ]
}
