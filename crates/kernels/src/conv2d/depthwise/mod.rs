//! Convolution in which every channel is a group of its own: direct loops, vectors along the channels.
//!
//! There is nothing to reuse but what the first cache holds anyway: memory bounds it, not arithmetic.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod row;
mod scalar;

use row::{ForwardRow, GradInputRow, GradWeightRow};

use super::grad_weight::add_chunks;
use super::method::{Forward, GradInput, GradWeight, Method};
use super::{Activation, Conv2dShape, Epilogue};
use crate::{Cpu, Level};

/// Rows of dy are summed in so many chunks, which are then added in their order.
const CHUNKS: usize = 32;

/// A row of the tables: what is done for one row of the output, at a level.
#[derive(Debug)]
pub(crate) struct Depthwise {
    name: &'static str,
    level: Level,
    // To be called only where the level is available.
    forward: unsafe fn(&mut ForwardRow<'_>),
    grad_input: unsafe fn(&mut GradInputRow<'_>),
    grad_weight: unsafe fn(&mut GradWeightRow<'_>),
}

impl Depthwise {
    #[cfg(target_arch = "x86_64")]
    pub(crate) const AVX512: Self = avx512::DEPTHWISE;
    #[cfg(target_arch = "x86_64")]
    pub(crate) const AVX2: Self = avx2::DEPTHWISE;
    #[cfg(target_arch = "aarch64")]
    pub(crate) const NEON: Self = neon::DEPTHWISE;
    pub(crate) const SCALAR: Self = scalar::DEPTHWISE;

    fn assert_level(&self) {
        assert!(self.level.is_available(), "a method is run only where its level is available");
    }
}

impl Method for Depthwise {
    fn name(&self) -> &'static str {
        self.name
    }

    fn level(&self) -> Level {
        self.level
    }

    fn fits(&self, shape: &Conv2dShape) -> bool {
        shape.groups > 1 && shape.in_channels == shape.groups && shape.out_channels == shape.groups
    }
}

impl Forward for Depthwise {
    fn workspace(&self, _shape: &Conv2dShape, _threads: usize) -> usize {
        0
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: &[f32],
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [f32],
        _workspace: &mut [f32],
    ) {
        self.assert_level();
        let (out_height, row_len) = (shape.out_height(), shape.out_width() * shape.out_channels);
        let picture_len = shape.height * shape.width * shape.in_channels;
        cpu.pool().for_each_chunk(y, row_len, |number, y| {
            let mut row = ForwardRow {
                shape,
                picture: &x[number / out_height * picture_len..][..picture_len],
                weight,
                bias: epilogue.bias,
                residual: epilogue.residual.map(|residual| &residual[number * row_len..][..row_len]),
                relu: epilogue.activation == Activation::Relu,
                oy: number % out_height,
                y,
            };
            // SAFETY: the level was asserted.
            unsafe { (self.forward)(&mut row) }
        });
    }
}

impl GradInput for Depthwise {
    fn workspace(&self, _shape: &Conv2dShape, _threads: usize) -> usize {
        0
    }

    fn run(&self, cpu: &Cpu, shape: &Conv2dShape, dy: &[f32], weight: &[f32], dx: &mut [f32], _workspace: &mut [f32]) {
        self.assert_level();
        let picture_len = shape.out_height() * shape.out_width() * shape.out_channels;
        cpu.pool().for_each_chunk(dx, shape.width * shape.in_channels, |number, dx| {
            let dy = &dy[number / shape.height * picture_len..][..picture_len];
            let mut row = GradInputRow { shape, dy, weight, iy: number % shape.height, dx };
            // SAFETY: the level was asserted.
            unsafe { (self.grad_input)(&mut row) }
        });
    }
}

impl GradWeight for Depthwise {
    fn workspace(&self, shape: &Conv2dShape, _threads: usize) -> usize {
        chunks(shape) * shape.weight_len()
    }

    fn run(&self, cpu: &Cpu, shape: &Conv2dShape, x: &[f32], dy: &[f32], dweight: &mut [f32], workspace: &mut [f32]) {
        self.assert_level();
        let (out_height, row_len) = (shape.out_height(), shape.out_width() * shape.out_channels);
        let picture_len = shape.height * shape.width * shape.in_channels;
        let (rows, chunks) = (shape.batch * out_height, chunks(shape));
        let sums = &mut workspace[..chunks * shape.weight_len()];
        cpu.pool().for_each_chunk(sums, shape.weight_len(), |chunk, sums| {
            sums.fill(0.0);
            for number in chunk * rows / chunks..(chunk + 1) * rows / chunks {
                let mut row = GradWeightRow {
                    shape,
                    picture: &x[number / out_height * picture_len..][..picture_len],
                    dy: &dy[number * row_len..][..row_len],
                    oy: number % out_height,
                    sums,
                };
                // SAFETY: the level was asserted.
                unsafe { (self.grad_weight)(&mut row) }
            }
        });
        add_chunks(cpu, sums, dweight);
    }
}

fn chunks(shape: &Conv2dShape) -> usize {
    CHUNKS.min(shape.batch * shape.out_height())
}
