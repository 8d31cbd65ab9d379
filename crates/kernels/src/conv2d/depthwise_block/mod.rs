//! A depthwise convolution with the 1×1 convolutions around it, whose wide maps never reach memory.
//!
//! What a block of a light network is wide in, the maps on both sides of its depthwise convolution, is several times
//! what goes in and comes out. Two orders of the same work, by how many pictures there are:
//!
//! - *Rows*: a task takes a band of a picture through all convolutions, a few rows at a time. The rows that the depthwise
//!   convolution spans lie in the second cache, and those that the next few need again stay there.
//! - *Channels*, where there are few pictures: bands of one would compute many rows twice. A task takes some wide channels
//!   of a picture through the first two convolutions; when all are there, tasks do the third for some pixels.

mod run;

#[cfg(test)]
mod tests;

use run::Run;

use super::depthwise::{self, Depthwise};
use super::implicit::{self, ImplicitGemm};
use super::method::at_level;
use super::pointwise::{Layer, Pointwise};
use super::{Conv2dShape, Epilogue};
use crate::Cpu;
use crate::gemm::L2_BYTES;
use crate::unary::Unary;
use crate::workers::Workers;

/// Wide channels of a task, at least: whole cache lines, so that no two tasks write the same one.
const LINE_CHANNELS: usize = 32;
/// Bytes of the rows that a worker holds.
const ROWS_BYTES: usize = L2_BYTES / 4 * 3;
/// Tasks for each thread at least, where there is a choice, so that a slow one does not hold the others up.
const TASKS_PER_THREAD: usize = 2;
/// Rows of a band at least: its first ones are made from rows that the band before it makes too.
const LEAST_ROWS: usize = 7;
/// Bytes of the rows that a worker holds of some channels.
const CHANNEL_ROWS_BYTES: usize = L2_BYTES / 4;
/// Bytes of a picture's depthwise output that may wait for the third convolution.
const WAITING_BYTES: usize = 2 * L2_BYTES;

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
    order: Order,
    /// Wide channels that go through the first two convolutions together.
    channels: usize,
    /// Rows of the depthwise output that do.
    step: usize,
}

/// The order of the work. What a number of the output is made from, and in which order it is summed, is the same in both
/// and for every cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// A picture is cut into so many bands.
    Rows {
        bands: usize,
    },
    Channels,
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
        let depthwise = at_level(depthwise::ROWS, cpu.level());
        let gemm = at_level(implicit::ROWS, cpu.level());
        assert!(shape.is_worth_it(), "no such block: {shape:?}");
        let (threads, height) = (cpu.threads(), s.out_height());
        let waiting_bytes = shape.after.map_or(0, |_| height * s.out_width() * s.out_channels * 4);
        let mut plan =
            Self { shape, depthwise, gemm, threads, order: Order::Channels, channels: s.in_channels, step: height };
        let channels = LINE_CHANNELS.next_multiple_of(gemm.panel_columns(s.in_channels)).min(s.in_channels);
        let has_bands = s.batch * (height / LEAST_ROWS) >= threads;
        if !has_bands && channels < s.in_channels && waiting_bytes <= WAITING_BYTES {
            plan.channels = channels;
            plan.fit_step(height, CHANNEL_ROWS_BYTES);
        } else {
            let bands = (TASKS_PER_THREAD * threads).div_ceil(s.batch).min((height / LEAST_ROWS).max(1));
            plan.order = Order::Rows { bands };
            plan.fit_step(height.div_ceil(bands), ROWS_BYTES);
        }
        plan
    }

    /// Takes as many rows of a band at once as fit.
    fn fit_step(&mut self, band: usize, bytes: usize) {
        self.step = band;
        while self.step > 1 && self.scratch() * 4 > bytes {
            self.step -= 1;
        }
        self.step = band.div_ceil(band.div_ceil(self.step));
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
        self.waiting_len() + Workers::len(self.threads, self.scratch())
    }

    /// Computes y, whatever it held before, adding a residual of its shape before the activation of a third convolution. What the
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
        assert!(residual.is_none() || after.is_some(), "only a third convolution takes a residual");
        assert!(workspace.len() >= self.workspace(), "workspace: {} of {}", workspace.len(), self.workspace());
        assert!(cpu.threads() <= self.threads, "planned for {} threads", self.threads);
        let (waiting, scratch) = workspace.split_at_mut(self.waiting_len());
        let run = Run {
            plan: self,
            gemm: self.gemm.gemm(),
            pool: cpu.pool(),
            x,
            before: before.map(|layer| Layer::new(cpu, layer.weight, layer.epilogue())),
            depthwise: Layer::new(cpu, depthwise.weight, depthwise.epilogue()),
            after: after.map(|layer| Layer::new(cpu, layer.weight, layer.epilogue())),
            residual,
        };
        let workers = Workers::new(scratch, self.scratch());
        match self.order {
            Order::Rows { bands } => run.by_rows(bands, &workers, y),
            Order::Channels => run.by_channels(&workers, waiting, y),
        }
    }

    fn pointwise(&self, side: Side) -> Option<Pointwise> {
        let s = &self.shape.depthwise;
        let [depth, columns] = match side {
            Side::Before => [self.shape.before?, s.in_channels],
            Side::After => [s.out_channels, self.shape.after?],
        };
        Some(Pointwise { depth, columns, panel: self.gemm.panel_columns(columns) })
    }

    /// Numbers of the rows that a worker holds: of the depthwise convolution's input, of its output, and of the weight
    /// for some channels.
    fn rows_len(&self) -> [usize; 3] {
        let s = &self.shape.depthwise;
        let rows = ((self.step - 1) * s.stride[0] + s.kernel[0]).min(s.height);
        let out_rows = match self.order {
            Order::Rows { .. } => self.shape.after.map_or(0, |_| self.step),
            Order::Channels => 1,
        };
        let weights = if self.order == Order::Channels { s.taps() * self.channels } else { 0 };
        let rows = if self.has_wide_copy() { rows } else { 0 };
        [rows * s.width * self.channels, out_rows * s.out_width() * self.channels, weights]
    }

    /// Whether the depthwise convolution's input is made, or copied for some channels.
    fn has_wide_copy(&self) -> bool {
        self.shape.before.is_some() || self.order == Order::Channels
    }

    fn scratch(&self) -> usize {
        self.rows_len().iter().sum()
    }

    /// Numbers of the depthwise output that waits for the third convolution.
    fn waiting_len(&self) -> usize {
        let s = &self.shape.depthwise;
        let waits = self.order == Order::Channels && self.shape.after.is_some();
        if waits { s.out_pixels() * s.out_channels } else { 0 }
    }
}
