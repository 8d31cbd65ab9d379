//! A depthwise convolution with the 1×1 convolutions around it, whose wide maps never reach memory.
//!
//! What a block of a light network is wide in, the maps on both sides of its depthwise convolution, is several times
//! what goes in and comes out. Here a task takes a band of a picture through all convolutions, a few rows at a time: the
//! rows that the depthwise convolution spans lie in the second cache, and those that the next few need again stay there.

mod pointwise;
mod run;

#[cfg(test)]
mod tests;

use pointwise::Pointwise;
use run::{Layer, Run};

use super::depthwise::{self, Depthwise};
use super::implicit::{self, ImplicitGemm};
use super::workers::Workers;
use super::{Conv2dShape, Epilogue};
use crate::Cpu;
use crate::gemm::L2_BYTES;
use crate::pool::Disjoint;
use crate::unary::Unary;

/// Bytes of the rows that a worker holds.
const ROWS_BYTES: usize = L2_BYTES / 4 * 3;
/// Tasks for each thread, so that a slow one does not hold the others up. What a task computes does not depend on how
/// many there are: only how many rows two of them compute both.
const TASKS_PER_THREAD: usize = 2;

/// The convolutions of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DepthwiseBlockShape {
    /// The depthwise one: as many groups as channels of its input and output.
    pub depthwise: Conv2dShape,
    /// Input channels of the 1×1 convolution before it, if there is one.
    pub before: Option<usize>,
    /// Output channels of the 1×1 convolution after it, if there is one.
    pub after: Option<usize>,
}

impl DepthwiseBlockShape {
    /// Numbers in the input.
    pub fn input_len(&self) -> usize {
        let shape = &self.depthwise;
        shape.batch * shape.height * shape.width * self.before.unwrap_or(shape.in_channels)
    }

    /// Numbers in the output.
    pub fn output_len(&self) -> usize {
        self.depthwise.out_pixels() * self.out_channels()
    }

    /// Channels of the output.
    pub fn out_channels(&self) -> usize {
        self.after.unwrap_or(self.depthwise.out_channels)
    }

    /// Whether the kernels know such a block, and a row of its wide map is short enough for a core's cache.
    pub fn is_worth_it(&self) -> bool {
        let s = &self.depthwise;
        let row_bytes = s.kernel[0] * s.width * s.in_channels * 4;
        let is_pointwise_beside = (self.before, self.after) != (None, None);
        is_pointwise_beside && depthwise::has_tiles(s) && row_bytes <= 2 * L2_BYTES
    }

    /// Multiplications with addition of the direct computation.
    pub fn multiply_adds(&self) -> usize {
        let shape = &self.depthwise;
        let pixels = shape.batch * shape.height * shape.width;
        let before = self.before.map_or(0, |channels| pixels * channels * shape.in_channels);
        let after = self.after.map_or(0, |channels| shape.out_pixels() * shape.out_channels * channels);
        before + shape.multiply_adds() + after
    }
}

/// One convolution of a block: its weight (packed, where it is 1×1), bias and activation.
#[derive(Clone, Copy, Debug)]
pub struct BlockLayer<'l> {
    /// As [`DepthwiseBlock::pack`] gives it for a 1×1 convolution, `[kernel 0][kernel 1][1][channels]` for the depthwise one.
    pub weight: &'l [f32],
    /// One number for each output channel.
    pub bias: &'l [f32],
    /// What comes last.
    pub activation: Option<Unary>,
}

impl<'l> BlockLayer<'l> {
    fn epilogue(&self) -> Epilogue<'l> {
        Epilogue { bias: Some(self.bias), residual: None, activation: self.activation }
    }
}

/// Which of the two 1×1 convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one before the depthwise convolution, which widens.
    Before,
    /// The one after it.
    After,
}

/// A block of a certain shape, ready to run.
#[derive(Clone, Copy, Debug)]
pub struct DepthwiseBlock {
    shape: DepthwiseBlockShape,
    depthwise: &'static Depthwise,
    gemm: &'static ImplicitGemm,
    threads: usize,
    /// A picture is cut into so many bands, and a band into steps of so many rows of the depthwise output.
    bands: usize,
    step: usize,
}

impl DepthwiseBlock {
    /// Chooses the kernels for the level and the shape.
    ///
    /// # Panics
    /// When a size is zero, or the depthwise convolution's output would be empty, or the block is not
    /// [worth it](DepthwiseBlockShape::is_worth_it).
    pub fn new(cpu: &Cpu, shape: DepthwiseBlockShape) -> Self {
        let s = &shape.depthwise;
        s.check();
        assert!(shape.before != Some(0) && shape.after != Some(0), "a size of zero: {shape:?}");
        let depthwise = Depthwise::of_level(cpu.level());
        let gemm = implicit::of_level(cpu.level());
        assert!(shape.is_worth_it(), "no such block: {shape:?}");
        let height = s.out_height();
        let bands = (TASKS_PER_THREAD * cpu.threads()).div_ceil(s.batch).min(height);
        let band = height.div_ceil(bands);
        let mut plan = Self { shape, depthwise, gemm, threads: cpu.threads(), bands, step: band };
        while plan.step > 1 && plan.scratch() * 4 > ROWS_BYTES {
            plan.step -= 1;
        }
        plan.step = band.div_ceil(band.div_ceil(plan.step));
        plan
    }

    /// The kernel, named as rows of the tables are.
    pub fn kernel_name(&self) -> &'static str {
        self.gemm.block_name
    }

    /// Numbers of a packed weight; 0 where there is no such convolution.
    pub fn packed_len(&self, side: Side) -> usize {
        self.pointwise(side).map_or(0, |product| product.packed_len())
    }

    /// Packs the weight `[in][out]` of a 1×1 convolution.
    ///
    /// # Panics
    /// When there is no such convolution, or a slice has another length than the shape and
    /// [`packed_len`](Self::packed_len) ask for.
    pub fn pack(&self, cpu: &Cpu, side: Side, weight: &[f32], packed: &mut [f32]) {
        let product = self.pointwise(side).expect("only weights that there are get packed");
        assert_eq!(weight.len(), product.depth * product.columns, "weight");
        assert_eq!(packed.len(), product.packed_len(), "packed weight");
        product.pack(cpu.pool(), weight, packed);
    }

    /// Numbers of workspace that [`run`](Self::run) wants at least.
    pub fn workspace(&self) -> usize {
        Workers::len(self.threads, self.scratch())
    }

    /// Computes y, whatever it held before, adding a residual of its shape before the last activation. What the
    /// workspace holds before and after means nothing.
    ///
    /// # Panics
    /// When a slice has another length than the shape asks for, layers are not those of the shape, or `cpu` has more
    /// threads than the plan was made for.
    pub fn run(
        &self,
        cpu: &Cpu,
        x: &[f32],
        [before, after]: [Option<BlockLayer<'_>>; 2],
        depthwise: BlockLayer<'_>,
        residual: Option<&[f32]>,
        y: &mut [f32],
        workspace: &mut [f32],
    ) {
        let s = &self.shape.depthwise;
        assert_eq!(x.len(), self.shape.input_len(), "x");
        assert_eq!(y.len(), self.shape.output_len(), "y");
        assert_eq!(depthwise.weight.len(), s.weight_len(), "depthwise weight");
        assert_eq!(depthwise.bias.len(), s.out_channels, "depthwise bias");
        for (side, layer) in [(Side::Before, before), (Side::After, after)] {
            let product = self.pointwise(side);
            let have = layer.map(|layer| [layer.weight.len(), layer.bias.len()]);
            assert_eq!(have, product.map(|product| [product.packed_len(), product.columns]), "{side:?}");
        }
        assert!(residual.is_none_or(|residual| residual.len() == y.len()), "a residual has the output's shape");
        assert!(workspace.len() >= self.workspace(), "workspace: {} of {}", workspace.len(), self.workspace());
        assert!(cpu.threads() <= self.threads, "planned for {} threads", self.threads);
        let workers = Workers::new(workspace, self.scratch());
        let run = Run {
            plan: self,
            gemm: self.gemm.gemm(),
            x,
            before: before.map(|layer| Layer::new(cpu, layer.weight, layer.epilogue())),
            depthwise: Layer::new(cpu, depthwise.weight, depthwise.epilogue()),
            after: after.map(|layer| Layer::new(cpu, layer.weight, layer.epilogue())),
            residual,
            y: Disjoint::new(y),
        };
        cpu.pool().run(s.batch * self.bands, &|task, worker| {
            // SAFETY: a worker runs one task at a time; tasks of different numbers have different rows of y.
            unsafe { run.band(task / self.bands, task % self.bands, workers.scratch(worker)) }
        });
    }

    fn pointwise(&self, side: Side) -> Option<Pointwise> {
        let (s, panel) = (&self.shape.depthwise, self.gemm.panel_columns());
        match side {
            Side::Before => self.shape.before.map(|depth| Pointwise { depth, columns: s.in_channels, panel }),
            Side::After => self.shape.after.map(|columns| Pointwise { depth: s.out_channels, columns, panel }),
        }
    }

    /// Numbers of the rows that a worker holds: of the depthwise convolution's input, and of its output.
    fn rows_len(&self) -> [usize; 2] {
        let s = &self.shape.depthwise;
        let rows = ((self.step - 1) * s.stride[0] + s.kernel[0]).min(s.height);
        [
            self.shape.before.map_or(0, |_| rows * s.width * s.in_channels),
            self.shape.after.map_or(0, |_| self.step * s.out_width() * s.out_channels),
        ]
    }

    fn scratch(&self) -> usize {
        self.rows_len().iter().sum()
    }
}
