//! What the programs that measure kernels have in common.

use std::time::{Duration, Instant};

use avizor_kernels::conv2d::Conv2dShape;
use avizor_kernels::{Cpu, Level, Memory, Place};

/// Of the level `AVIZOR_CPU` with `AVIZOR_THREADS` threads: the best level and all cores unless they are set.
pub(crate) fn cpu() -> Cpu {
    let variable = |name| std::env::var(name).ok();
    let level =
        variable("AVIZOR_CPU").map_or(Level::best(), |text| text.parse().unwrap_or_else(|error| panic!("{error}")));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Cpu::new(variable("AVIZOR_THREADS").and_then(|text| text.parse().ok()).unwrap_or(cores), level)
}

/// Seconds of the best run, of as many as fit a tenth of a second but at least five.
pub(crate) fn best(mut run: impl FnMut()) -> f64 {
    run();
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    let mut runs = 0;
    while runs < 5 || begin.elapsed() < Duration::from_millis(100) {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
        runs += 1;
        // Linux takes a twentieth of each second from real-time tasks: better between two runs than inside one.
        std::thread::sleep(Duration::from_secs_f64(0.08 * start.elapsed().as_secs_f64()));
    }
    best
}

/// A convolution of square maps with a square kernel, padded so that stride 1 keeps the size.
pub(crate) fn square(batch: usize, side: usize, channels: [usize; 2], kernel: usize, stride: usize) -> Conv2dShape {
    let [in_channels, out_channels] = channels;
    Conv2dShape {
        batch,
        height: side,
        width: side,
        in_channels,
        out_channels,
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [kernel / 2; 2],
        groups: 1,
    }
}

/// The tensors of a convolution and of its gradients, in such memory as programs have.
pub(crate) struct Tensors {
    memory: Memory,
    read: [Place; 3],
    written: [Place; 4],
}

impl Tensors {
    /// What is read is filled with small integers; the workspace has `workspace` numbers.
    pub(crate) fn new(shape: &Conv2dShape, workspace: usize) -> Self {
        let mut memory = Memory::new();
        let mut place = |len: usize| Place { space: memory.add_space(len), offset: 0, len };
        let (input, weight, output) = (shape.input_len(), shape.weight_len(), shape.output_len());
        let read = [input, weight, output].map(&mut place);
        let written = [output, input, weight, workspace].map(place);
        for place in read {
            memory.get_mut(place).iter_mut().enumerate().for_each(|(i, number)| *number = (i % 13) as f32 - 6.0);
        }
        Self { memory, read, written }
    }

    /// x, weight and dy to read; y, dx, dweight and the workspace to write.
    pub(crate) fn slices(&mut self) -> ([&[f32]; 3], [&mut [f32]; 4]) {
        self.memory.access(self.read, self.written)
    }
}
