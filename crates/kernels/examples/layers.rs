//! Speed of the convolutions of ResNet-18 and of small networks: milliseconds, effective GFLOP/s (operations of the direct computation a
//! second) and their share of the machine's own multiply-add peak, which a method of fewer multiplications can pass.
//!
//! `cargo run --release -p avizor-kernels --example layers [picture size] [batch] [filter of the layer's name]`. The
//! chosen method and direct convolution run in alternation; "×" is how many times faster the chosen one is. Obeys
//! `AVIZOR_CPU` (a level) and `AVIZOR_THREADS`. On a shared machine: `chrt -f 10`.
#![allow(clippy::print_stdout, reason = "a program that prints a table")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use avizor_kernels::conv2d::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dMethods, Conv2dShape, Epilogue};
use avizor_kernels::{Cpu, Level, Memory, Place};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (size, batch) = (number(160), number(32));
    let filter = arguments.next().unwrap_or_default();
    let variable = |name| std::env::var(name).ok();
    let level =
        variable("AVIZOR_CPU").map_or(Level::best(), |text| text.parse().unwrap_or_else(|error| panic!("{error}")));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = Cpu::new(variable("AVIZOR_THREADS").and_then(|text| text.parse().ok()).unwrap_or(cores), level);
    let peak = multiply_add_peak(&cpu);
    println!("{level}, {} threads, multiply-add peak {peak:.0} GFLOP/s; {size} px, batch {batch}", cpu.threads());
    println!("{:<22}{:<6}{:>9}{:>9}{:>6}{:>7}{:>7}  method", "layer", "pass", "ms", "GFLOP/s", "peak", "×", "MiB");
    for (name, shape) in layers(size, batch).into_iter().filter(|(name, _)| name.contains(&filter)) {
        for (pass, measured) in ["fwd", "dx", "dw"].into_iter().zip(measure(&cpu, shape)) {
            let Measured { method, seconds: [chosen, direct], workspace } = measured;
            let rate = 2e-9 * shape.multiply_adds() as f64 / chosen;
            let (share, faster, mib) = (100.0 * rate / peak, direct / chosen, workspace as f64 / (1 << 18) as f64);
            let ms = chosen * 1e3;
            println!("{name:<22}{pass:<6}{ms:>9.2}{rate:>9.0}{share:>5.0}%{faster:>7.2}{mib:>7.1}  {method}");
        }
    }
}

fn layers(size: usize, batch: usize) -> Vec<(String, Conv2dShape)> {
    let mut layers = Vec::new();
    let mut add = |scale: usize, channels: [usize; 2], kernel: usize, stride: usize, groups: usize| {
        let side = size / scale;
        let [in_channels, out_channels] = channels;
        let kind = if groups > 1 { " depthwise" } else { "" };
        let name = format!("{kernel}x{kernel}/{stride} {in_channels}->{out_channels} @{side}{kind}");
        let shape = Conv2dShape {
            batch,
            height: side,
            width: side,
            in_channels,
            out_channels,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [kernel / 2; 2],
            groups,
        };
        layers.push((name, shape));
    };
    add(1, [3, 64], 7, 2, 1);
    for (scale, channels) in [(4, 64), (8, 128), (16, 256), (32, 512)] {
        add(scale, [channels, channels], 3, 1, 1);
        if channels < 512 {
            add(scale, [channels, 2 * channels], 3, 2, 1);
            add(scale, [channels, 2 * channels], 1, 2, 1);
        }
    }
    add(4, [64, 256], 1, 1, 1);
    add(16, [1024, 256], 1, 1, 1);
    add(4, [144, 144], 3, 1, 144);
    // The small network of 60 px without padding, and a ResNet for 32 px.
    let mut add = |side: usize, channels: [usize; 2], batch: usize, padding: usize| {
        let [in_channels, out_channels] = channels;
        let name = format!("small {in_channels}->{out_channels} @{side}");
        let (kernel, stride, padding) = ([3; 2], [1; 2], [padding; 2]);
        let shape = Conv2dShape {
            batch,
            height: side,
            width: side,
            in_channels,
            out_channels,
            kernel,
            stride,
            padding,
            groups: 1,
        };
        layers.push((name, shape));
    };
    for (side, channels) in [(60, [3, 32]), (29, [32, 64]), (13, [64, 128]), (5, [128, 256])] {
        add(side, channels, batch, 0);
    }
    for (side, channels) in [(32, 64), (16, 128), (8, 256), (4, 512)] {
        add(side, [channels; 2], 4 * batch, 1);
    }
    layers
}

/// A pass by the chosen method.
struct Measured {
    method: &'static str,
    /// Of the chosen method and of direct convolution, each the best of several runs.
    seconds: [f64; 2],
    /// Numbers.
    workspace: usize,
}

/// Forward, gradient of the input and of the weight.
fn measure(cpu: &Cpu, shape: Conv2dShape) -> [Measured; 3] {
    let methods = [Conv2dMethods::Auto, Conv2dMethods::Direct];
    let forward = methods.map(|methods| Conv2dForward::with_methods(cpu, shape, methods));
    let grad_input = methods.map(|methods| Conv2dGradInput::with_methods(cpu, shape, methods));
    let grad_weight = methods.map(|methods| Conv2dGradWeight::with_methods(cpu, shape, methods));
    let mut memory = Memory::new();
    let mut place = |len: usize| Place { space: memory.add_space(len), offset: 0, len };
    let [x, dx] = [(); 2].map(|()| place(shape.input_len()));
    let [weight, dweight] = [(); 2].map(|()| place(shape.weight_len()));
    let [y, dy] = [(); 2].map(|()| place(shape.output_len()));
    let most = [forward.map(|p| p.workspace()), grad_input.map(|p| p.workspace()), grad_weight.map(|p| p.workspace())];
    let workspace = place(most.into_iter().flatten().max().unwrap_or(0));
    for place in [x, weight, dy] {
        memory.get_mut(place).iter_mut().enumerate().for_each(|(i, number)| *number = (i % 13) as f32 - 6.0);
    }
    let ([x, weight, dy], [y, dx, dweight, workspace]) = memory.access([x, weight, dy], [y, dx, dweight, workspace]);
    let mut results = [forward[0].kernel_name(), grad_input[0].kernel_name(), grad_weight[0].kernel_name()]
        .map(|method| Measured { method, seconds: [f64::INFINITY; 2], workspace: 0 });
    for (result, most) in results.iter_mut().zip(most) {
        result.workspace = most[0];
    }
    let rounds = if results.iter().all(|result| result.method.starts_with("winograd")) { 3 } else { 1 };
    for _ in 0..rounds {
        for i in 0..2 {
            let seconds = [
                best(|| forward[i].run(cpu, x, weight, Epilogue::NONE, y, workspace)),
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

fn best(mut run: impl FnMut()) -> f64 {
    run();
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    let mut runs = 0;
    while runs < 5 || begin.elapsed() < Duration::from_millis(120) {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
        runs += 1;
        // Linux takes a twentieth of each second from real-time tasks: better between two runs than inside one.
        std::thread::sleep(Duration::from_secs_f64(0.08 * start.elapsed().as_secs_f64()));
    }
    best
}

/// What all threads reach together with nothing but multiply-adds on registers, in GFLOP/s.
fn multiply_add_peak(cpu: &Cpu) -> f64 {
    const STEPS: usize = 4_000_000;
    let run = || {
        cpu.pool().run(cpu.threads(), &|_, _| {
            black_box(peak::chains(cpu.level(), STEPS));
        });
    };
    2e-9 * (cpu.threads() * STEPS * peak::multiply_adds_of_step(cpu.level())) as f64 / best(run)
}

mod peak {
    //! Twelve independent chains of multiply-adds.

    use avizor_kernels::Level;

    pub(crate) fn multiply_adds_of_step(level: Level) -> usize {
        match level {
            Level::Avx512 => 12 * 16,
            Level::Avx2 => 12 * 8,
            Level::Scalar | Level::Neon => 12 * 4,
        }
    }

    pub(crate) fn chains(level: Level, steps: usize) -> f32 {
        match level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a `Cpu` of the level exists, so the machine has it.
            Level::Avx512 => unsafe { avx512(steps) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx2 => unsafe { avx2(steps) },
            _ => plain::<4>(steps),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    fn avx512(steps: usize) -> f32 {
        use std::arch::x86_64::*;
        let mut sums = [_mm512_set1_ps(1.0); 12];
        let factor = std::hint::black_box(_mm512_set1_ps(0.999));
        for _ in 0..steps {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, factor, factor);
            }
        }
        sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn avx2(steps: usize) -> f32 {
        use std::arch::x86_64::*;
        let mut sums = [_mm256_set1_ps(1.0); 12];
        let factor = std::hint::black_box(_mm256_set1_ps(0.999));
        for _ in 0..steps {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, factor, factor);
            }
        }
        sums.into_iter().map(|sum| _mm_cvtss_f32(_mm256_castps256_ps128(sum))).sum()
    }

    fn plain<const N: usize>(steps: usize) -> f32 {
        let mut sums = [[1.0f32; N]; 12];
        let factor = std::hint::black_box(0.999f32);
        for _ in 0..steps {
            for sum in &mut sums {
                *sum = sum.map(|sum| sum * factor + factor);
            }
        }
        sums.into_iter().flatten().sum()
    }
}
