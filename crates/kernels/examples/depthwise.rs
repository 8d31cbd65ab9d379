//! Speed of depthwise convolutions at 224 px, those of MobileNetV2 and the 5×5 ones of EfficientNet-B0: milliseconds
//! and GB/s of each pass, where the bytes are those of the input and the output, each once, and the GB/s of a copy.
//!
//! `cargo run --release -p avizor-kernels --example depthwise [batch] [filter of the layer's name]`. Obeys `AVIZOR_CPU`
//! (a level) and `AVIZOR_THREADS`. On a shared machine: `chrt -f 10`.
#![allow(clippy::print_stdout, reason = "a program that prints a table")]

use std::time::{Duration, Instant};

use avizor_kernels::conv2d::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dShape, Epilogue};
use avizor_kernels::elementwise::copy;
use avizor_kernels::{Cpu, Level, Memory, Place};

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
    let variable = |name| std::env::var(name).ok();
    let level =
        variable("AVIZOR_CPU").map_or(Level::best(), |text| text.parse().unwrap_or_else(|error| panic!("{error}")));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = Cpu::new(variable("AVIZOR_THREADS").and_then(|text| text.parse().ok()).unwrap_or(cores), level);
    println!("{level}, {} threads, batch {batch}; ms and GB/s, each the best of several runs", cpu.threads());
    let header = ["forward", "input grad.", "weight grad.", "copy of x"].map(|pass| format!("{pass:>18}")).concat();
    println!("{:<22}{header}", "layer");
    for [side, channels, kernel, stride] in LAYERS {
        let name = format!("{kernel}x{kernel}/{stride} {channels} @{side}");
        if !name.contains(&filter) {
            continue;
        }
        let shape = Conv2dShape {
            batch,
            height: side,
            width: side,
            in_channels: channels,
            out_channels: channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [kernel / 2; 2],
            groups: channels,
        };
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
    let mut memory = Memory::new();
    let mut place = |len: usize| Place { space: memory.add_space(len), offset: 0, len };
    let [x, dx] = [(); 2].map(|()| place(shape.input_len()));
    let [weight, dweight] = [(); 2].map(|()| place(shape.weight_len()));
    let [y, dy] = [(); 2].map(|()| place(shape.output_len()));
    let most = forward.workspace().max(grad_input.workspace()).max(grad_weight.workspace());
    let workspace = place(most);
    for place in [x, weight, dy] {
        memory.get_mut(place).iter_mut().enumerate().for_each(|(i, number)| *number = (i % 13) as f32 - 6.0);
    }
    let ([x, weight, dy], [y, dx, dweight, workspace]) = memory.access([x, weight, dy], [y, dx, dweight, workspace]);
    [
        best(|| forward.run(cpu, x, weight, Epilogue::NONE, y, workspace)),
        best(|| grad_input.run(cpu, dy, weight, dx, workspace)),
        best(|| grad_weight.run(cpu, x, dy, dweight, workspace)),
        best(|| copy(cpu, x, dx)),
    ]
}

fn best(mut run: impl FnMut()) -> f64 {
    run();
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    let mut runs = 0;
    while runs < 5 || begin.elapsed() < Duration::from_millis(60) {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
        runs += 1;
        // Linux takes a twentieth of each second from real-time tasks: better between two runs than inside one.
        std::thread::sleep(Duration::from_secs_f64(0.08 * start.elapsed().as_secs_f64()));
    }
    best
}
