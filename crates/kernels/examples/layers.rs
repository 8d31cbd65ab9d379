//! Speed of the convolutions of ResNet-18: milliseconds, GFLOP/s and share of the machine's own multiply-add peak.
//!
//! `cargo run --release -p avizor-kernels --example layers [picture size] [batch] [filter of the layer's name]`. Obeys
//! `AVIZOR_CPU` (a level) and `AVIZOR_THREADS`. On a shared machine: `chrt -f 10`.
#![allow(clippy::print_stdout, reason = "a program that prints a table")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use avizor_kernels::conv2d::{Conv2dForward, Conv2dGradInput, Conv2dGradWeight, Conv2dShape, Epilogue};
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
    println!(
        "{:<22}{:>9}{:>9}{:>6}  {:>9}{:>9}{:>6}  {:>9}{:>9}{:>6}",
        "layer", "fwd ms", "GFLOP/s", "peak", "dx ms", "GFLOP/s", "peak", "dw ms", "GFLOP/s", "peak"
    );
    for (name, shape) in layers(size, batch).into_iter().filter(|(name, _)| name.contains(&filter)) {
        let times = measure(&cpu, shape);
        print!("{name:<22}");
        for time in times {
            let rate = 2e-9 * shape.multiply_adds() as f64 / time;
            print!("{:>9.2}{rate:>9.0}{:>5.0}%  ", time * 1e3, 100.0 * rate / peak);
        }
        println!();
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
    layers
}

/// Seconds of forward, gradient of the input and of the weight: the best of several runs.
fn measure(cpu: &Cpu, shape: Conv2dShape) -> [f64; 3] {
    let forward = Conv2dForward::new(cpu, shape);
    let (grad_input, grad_weight) = (Conv2dGradInput::new(cpu, shape), Conv2dGradWeight::new(cpu, shape));
    let mut memory = Memory::new();
    let mut place = |len: usize| Place { space: memory.add_space(len), offset: 0, len };
    let [x, dx] = [(); 2].map(|()| place(shape.input_len()));
    let [weight, dweight] = [(); 2].map(|()| place(shape.weight_len()));
    let [y, dy] = [(); 2].map(|()| place(shape.output_len()));
    let workspace = place(forward.workspace().max(grad_input.workspace()).max(grad_weight.workspace()));
    for place in [x, weight, dy] {
        memory.get_mut(place).iter_mut().enumerate().for_each(|(i, number)| *number = (i % 13) as f32 - 6.0);
    }
    let ([x, weight, dy], [y, dx, dweight, workspace]) = memory.access([x, weight, dy], [y, dx, dweight, workspace]);
    [
        best(|| forward.run(cpu, x, weight, Epilogue::NONE, y, workspace)),
        best(|| grad_input.run(cpu, dy, weight, dx, workspace)),
        best(|| grad_weight.run(cpu, x, dy, dweight, workspace)),
    ]
}

fn best(mut run: impl FnMut()) -> f64 {
    run();
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    let mut runs = 0;
    while runs < 5 || begin.elapsed() < Duration::from_millis(200) {
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
