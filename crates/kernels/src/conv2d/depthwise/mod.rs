//! Convolution in which every channel is a group of its own, vectors along the channels.
//!
//! Each number of the input is met by a few products only, so that memory bounds it: the rows that a kernel spans stay
//! in the second cache, a tile of some columns in registers (`tile`, `grad_weight`). Kernels 3, 5 or 7 wide with
//! horizontal stride 1 or 2 go this way; all others go by plain loops (`any`).

mod any;
mod geometry;
mod grad_weight;
mod level;
mod tile;

#[cfg(test)]
mod tests;

use std::ops::Range;

use any::ForwardRow;
use geometry::Rows;
use grad_weight::GradWeightRow;
use level::{Kernels, LevelKernels};
use tile::Row;

use super::grad_weight::add_chunks;
use super::method::{Forward, GradInput, GradWeight, Method, Pass};
use super::{Conv2dShape, Epilogue};
use crate::pool::Disjoint;
use crate::{Cpu, Floats, FloatsMut, Level, Precision};

/// The work is cut into about so many tasks, enough for 16 threads to end at about the same time. It does not depend on
/// the number of threads there are.
const TASKS: usize = 32;
/// Rows of a task at least: its first ones read rows again that another task has read.
const LEAST_ROWS: usize = 4;

/// A row of the tables: what is done for one row of a tensor, at a level.
#[derive(Debug)]
pub(crate) struct Depthwise {
    name: &'static str,
    /// With norms: see [`normed`](super::normed).
    normed_name: &'static str,
    level: Level,
    kernels: &'static LevelKernels,
}

/// The rows of all levels, the most capable first.
pub(crate) static ROWS: &[Depthwise] = &[
    #[cfg(target_arch = "x86_64")]
    Depthwise {
        name: "depthwise_f32_c16_avx512",
        normed_name: "depthwise_norm_f32_avx512",
        level: Level::Avx512,
        kernels: &level::avx512::KERNELS,
    },
    #[cfg(target_arch = "x86_64")]
    Depthwise {
        name: "depthwise_f32_c8_avx2",
        normed_name: "depthwise_norm_f32_avx2",
        level: Level::Avx2,
        kernels: &level::avx2::KERNELS,
    },
    #[cfg(target_arch = "aarch64")]
    Depthwise {
        name: "depthwise_f32_c4_neon",
        normed_name: "depthwise_norm_f32_neon",
        level: Level::Neon,
        kernels: &level::neon::KERNELS,
    },
    Depthwise {
        name: "depthwise_f32_c4_scalar",
        normed_name: "depthwise_norm_f32_scalar",
        level: Level::Scalar,
        kernels: &level::scalar::KERNELS,
    },
];

impl Depthwise {
    pub(super) fn normed_name(&self) -> &'static str {
        self.normed_name
    }

    fn assert_level(&self) {
        assert!(self.level.is_available(), "a method is run only where its level is available");
    }

    /// The kernels made for the shape's width and stride.
    fn tiled(&self, shape: &Conv2dShape) -> Option<&Kernels> {
        let width = [3, 5, 7].iter().position(|&width| width == shape.kernel[1])?;
        self.kernels.tiled[width].get(shape.stride[1] - 1)
    }
}

/// What is done to a row of the output on its way to memory.
#[derive(Clone, Copy)]
pub(super) struct Finish<'f> {
    pub(super) bias: Option<&'f [f32]>,
    /// The row of the residual.
    pub(super) residual: Option<&'f [f32]>,
    /// As [`Epilogue::ceiling`] gives it.
    pub(super) ceiling: Option<f32>,
    /// Where the rows that come next are read, if not behind the source.
    pub(super) next: Option<&'f [f32]>,
}

impl Depthwise {
    /// Row `oy` of the output of a picture, from rows of the picture from `first` on and the weight.
    ///
    /// # Panics
    /// When the shape has no kernels of its own, the machine not the level, or a row that is needed is not there.
    pub(super) fn forward_row(
        &self,
        shape: &Conv2dShape,
        [source, weight]: [&[f32]; 2],
        finish: Finish<'_>,
        [first, oy]: [usize; 2],
        y: &mut [f32],
    ) {
        self.assert_level();
        let kernels = self.tiled(shape).expect("only shapes with kernels of their own come here");
        let mut rows = Rows::of_output(shape, oy);
        if rows.count > 0 {
            rows.source = rows.source.checked_sub(first).expect("the rows that an output row is made from are there");
        }
        for block in blocks(shape) {
            let mut row = Row {
                source,
                width: shape.width,
                rows,
                weight,
                padding: shape.padding[1],
                channels: shape.in_channels,
                block,
                bias: finish.bias,
                residual: finish.residual,
                ceiling: finish.ceiling,
                target: y,
                next: finish.next.map(<[f32]>::as_ptr),
            };
            // SAFETY: the level was asserted.
            unsafe { (kernels.forward)(&mut row) }
        }
    }

    /// Row `iy` of the gradient of a picture's input, from rows of dy from `first` on and the weight. `next` is where rows
    /// of dy come from that are needed next, if not behind those.
    ///
    /// # Panics
    /// As [`forward_row`](Self::forward_row).
    pub(super) fn grad_input_row(
        &self,
        shape: &Conv2dShape,
        [source, weight]: [&[f32]; 2],
        [first, iy]: [usize; 2],
        next: Option<&[f32]>,
        dx: &mut [f32],
    ) {
        self.assert_level();
        let kernels = self.tiled(shape).expect("only shapes with kernels of their own come here");
        let mut rows = Rows::of_input(shape, iy);
        if rows.count > 0 {
            rows.source = rows.source.checked_sub(first).expect("the rows that a row of dx is made from are there");
        }
        for block in blocks(shape) {
            let mut row = Row {
                source,
                width: shape.out_width(),
                rows,
                weight,
                padding: shape.padding[1],
                channels: shape.in_channels,
                block,
                bias: None,
                residual: None,
                ceiling: None,
                target: dx,
                next: next.map(<[f32]>::as_ptr),
            };
            // SAFETY: the level was asserted.
            unsafe { (kernels.grad_input)(&mut row) }
        }
    }

    /// Adds row `oy` of the gradient of a picture's output to that of the weight, from rows of the picture from `first`
    /// on. `next` is where rows of both come from that are needed next, if not behind those.
    ///
    /// # Panics
    /// As [`forward_row`](Self::forward_row), or when there are not as many sums as weights.
    pub(super) fn add_grad_weight_row(
        &self,
        shape: &Conv2dShape,
        [source, dy]: [&[f32]; 2],
        [first, oy]: [usize; 2],
        next: Option<[&[f32]; 2]>,
        sums: &mut [f32],
    ) {
        self.assert_level();
        assert_eq!(sums.len(), shape.weight_len(), "as many sums as weights");
        let kernels = self.tiled(shape).expect("only shapes with kernels of their own come here");
        let mut rows = Rows::of_output(shape, oy);
        if rows.count > 0 {
            rows.source = rows.source.checked_sub(first).expect("the rows that an output row is made from are there");
        }
        for block in blocks(shape) {
            let row = GradWeightRow {
                source,
                width: shape.width,
                rows,
                padding: shape.padding[1],
                channels: shape.in_channels,
                block,
                dy,
                next: next.map(|rows| rows.map(<[f32]>::as_ptr)),
                kernel_height: shape.kernel[0],
                sums: sums.as_mut_ptr(),
            };
            // SAFETY: the level was asserted; the sums are as many as weights, and this call's own.
            unsafe { (kernels.grad_weight)(&row) }
        }
    }
}

/// Whether [`Depthwise::forward_row`] can compute a shape.
pub(super) fn has_tiles(shape: &Conv2dShape) -> bool {
    ROWS.iter().all(|row| row.fits(shape, Pass::Forward) && row.tiled(shape).is_some())
}

impl Method for Depthwise {
    fn name(&self) -> &'static str {
        self.name
    }

    fn level(&self) -> Level {
        self.level
    }

    fn fits(&self, shape: &Conv2dShape, _pass: Pass) -> bool {
        shape.groups > 1 && shape.in_channels == shape.groups && shape.out_channels == shape.groups
    }

    fn takes(&self, precision: Precision) -> bool {
        precision == Precision::F32
    }
}

/// [`Method::takes`] no other.
fn only_f32(map: Floats<'_>) -> &[f32] {
    let Floats::F32(map) = map else { unreachable!("only f32 is taken") };
    map
}

/// As [`only_f32`].
fn only_f32_mut(map: FloatsMut<'_>) -> &mut [f32] {
    let FloatsMut::F32(map) = map else { unreachable!("only f32 is taken") };
    map
}

impl Forward for Depthwise {
    fn workspace(&self, _shape: &Conv2dShape, _threads: usize, _precision: Precision) -> usize {
        0
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: FloatsMut<'_>,
        _workspace: &mut [f32],
    ) {
        let (x, y) = (only_f32(x), only_f32_mut(y));
        self.assert_level();
        let row_len = shape.out_width() * shape.out_channels;
        let picture_len = shape.height * shape.width * shape.in_channels;
        let (ceiling, late) = (epilogue.ceiling(), epilogue.late(cpu));
        for_each_row(cpu, shape.batch, shape.out_height(), row_len, y, |[picture, oy], at, y| {
            let picture = &x[picture * picture_len..][..picture_len];
            let residual = epilogue.residual.map(|residual| &residual[at..][..row_len]);
            if self.tiled(shape).is_some() {
                self.forward_row(
                    shape,
                    [picture, weight],
                    Finish { bias: epilogue.bias, residual, ceiling, next: None },
                    [0, oy],
                    y,
                );
            } else {
                let mut row = ForwardRow { shape, picture, weight, bias: epilogue.bias, residual, ceiling, oy, y };
                // SAFETY: the level was asserted.
                unsafe { (self.kernels.any.forward)(&mut row) }
            }
            if let Some(activation) = late {
                activation.apply(y);
            }
        });
    }
}

impl GradInput for Depthwise {
    fn workspace(&self, _shape: &Conv2dShape, _threads: usize, _precision: Precision) -> usize {
        0
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        dy: Floats<'_>,
        weight: &[f32],
        dx: FloatsMut<'_>,
        _workspace: &mut [f32],
    ) {
        let (dy, dx) = (only_f32(dy), only_f32_mut(dx));
        self.assert_level();
        let row_len = shape.width * shape.in_channels;
        let picture_len = shape.out_height() * shape.out_width() * shape.out_channels;
        for_each_row(cpu, shape.batch, shape.height, row_len, dx, |[picture, iy], _, dx| {
            let dy = &dy[picture * picture_len..][..picture_len];
            if self.tiled(shape).is_some() {
                return self.grad_input_row(shape, [dy, weight], [0, iy], None, dx);
            }
            let mut row = any::GradInputRow { shape, dy, weight, iy, dx };
            // SAFETY: the level was asserted.
            unsafe { (self.kernels.any.grad_input)(&mut row) }
        });
    }
}

impl GradWeight for Depthwise {
    fn workspace(&self, shape: &Conv2dShape, _threads: usize, _precision: Precision) -> usize {
        if chunks(shape) == 1 { 0 } else { chunks(shape) * shape.weight_len() }
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: Floats<'_>,
        dy: Floats<'_>,
        dweight: &mut [f32],
        workspace: &mut [f32],
    ) {
        let [x, dy] = [x, dy].map(only_f32);
        self.assert_level();
        let (chunks, len) = (chunks(shape), shape.weight_len());
        let sums = &mut workspace[..if chunks == 1 { 0 } else { chunks * len }];
        {
            let target = Disjoint::new(if chunks == 1 { &mut *dweight } else { &mut *sums });
            let blocks = blocks(shape);
            cpu.pool().run(chunks * blocks.len(), &|task, _worker| {
                let (chunk, block) = (task / blocks.len(), task % blocks.len());
                let block = blocks.clone().nth(block).unwrap_or_default();
                let sums = target.pointer(chunk * len..(chunk + 1) * len);
                for tap in 0..shape.taps() {
                    let to = sums.wrapping_add(tap * shape.out_channels + block.start);
                    // SAFETY: inside the chunk's sums; each task has its own chunk or channels.
                    unsafe { std::slice::from_raw_parts_mut(to, block.len()) }.fill(0.0);
                }
                let rows = shape.batch * shape.out_height();
                for number in chunk * rows / chunks..(chunk + 1) * rows / chunks {
                    // SAFETY: as above.
                    unsafe { self.add_row(shape, x, dy, number, block.clone(), sums) }
                }
            });
        }
        if chunks > 1 {
            add_chunks(cpu, sums, dweight);
        }
    }
}

impl Depthwise {
    /// Adds a row of dy, counted over all pictures, to the sums of some channels.
    ///
    /// # Safety
    /// The level was asserted; `sums` is good for a weight, of which nobody else touches these channels.
    unsafe fn add_row(
        &self,
        shape: &Conv2dShape,
        x: &[f32],
        dy: &[f32],
        number: usize,
        block: Range<usize>,
        sums: *mut f32,
    ) {
        let (out_height, row_len) = (shape.out_height(), shape.out_width() * shape.out_channels);
        let picture_len = shape.height * shape.width * shape.in_channels;
        let picture = &x[number / out_height * picture_len..][..picture_len];
        let (dy, oy) = (&dy[number * row_len..][..row_len], number % out_height);
        let Some(kernels) = self.tiled(shape) else {
            let mut row = any::GradWeightRow { shape, picture, dy, oy, block, sums };
            // SAFETY: by the caller's promise.
            return unsafe { (self.kernels.any.grad_weight)(&mut row) };
        };
        let row = GradWeightRow {
            source: picture,
            width: shape.width,
            rows: Rows::of_output(shape, oy),
            padding: shape.padding[1],
            channels: shape.in_channels,
            block,
            dy,
            next: None,
            kernel_height: shape.kernel[0],
            sums,
        };
        // SAFETY: by the caller's promise.
        unsafe { (kernels.grad_weight)(&row) }
    }
}

/// Calls `each([picture, row], place in target, row of target)` for all rows; those of a task one after the other, so
/// that the source's are still in the cache.
fn for_each_row(
    cpu: &Cpu,
    batch: usize,
    height: usize,
    row_len: usize,
    target: &mut [f32],
    each: impl Fn([usize; 2], usize, &mut [f32]) + Sync,
) {
    let parts = TASKS.div_ceil(batch).min(height.div_ceil(LEAST_ROWS));
    let target = Disjoint::new(target);
    cpu.pool().run(batch * parts, &|task, _worker| {
        let (picture, part) = (task / parts, task % parts);
        for row in part * height / parts..(part + 1) * height / parts {
            let at = (picture * height + row) * row_len;
            // SAFETY: every row of every picture comes once.
            each([picture, row], at, unsafe { target.slice(at, row_len) });
        }
    });
}

/// Blocks of channels, of which the weights and the columns of a tile stay in the first cache.
fn blocks(shape: &Conv2dShape) -> impl ExactSizeIterator<Item = Range<usize>> + Clone + use<> {
    const LINE: usize = 16;
    let (channels, most) = (shape.in_channels, (384 / shape.kernel[1]).max(2 * LINE) / (2 * LINE) * 2 * LINE);
    let block = channels.div_ceil(channels.div_ceil(most)).next_multiple_of(LINE);
    (0..channels.div_ceil(block)).map(move |number| number * block..((number + 1) * block).min(channels))
}

/// Rows of dy are summed in so many chunks, which are then added in their order.
fn chunks(shape: &Conv2dShape) -> usize {
    TASKS.div_ceil(blocks(shape).len()).min(shape.batch * shape.out_height())
}
