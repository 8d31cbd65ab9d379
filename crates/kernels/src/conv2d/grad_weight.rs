//! The gradient of the weight: the transposed windows of x times dy, summed over the pixels.
//!
//! Pixels are cut into chunks fixed by the shape; each has its own sums, which are added in the order of the chunks.

use std::ops::Range;

use super::Conv2dShape;
use super::implicit::ImplicitGemm;
use super::method::GradWeight;
use super::window::{Block, Cut, WindowCopy, Windows};
use crate::gemm::{Gemm, Left, MOST_ROWS, Places, Product, Store, pack_pairs, pack_rows};
use crate::pool::Disjoint;
use crate::workers::Workers;
use crate::{Bf16, Cpu, Element, Floats, Precision};

/// Pixels that are summed in registers at once: their panel of dy (12 KiB at 16 columns) and the strip of windows it
/// meets (a cache line a pixel, 12 KiB) share the first cache.
const BLOCK_PIXELS: usize = 192;
/// Rows of dweight (taps × channels) and columns of a task, about. The more, the seldomer x and dy are copied; the sums
/// (576 KiB) are met once for every block of pixels, so that they may come from the third cache.
const TASK_ROWS: usize = 576;
const TASK_COLUMNS: usize = 256;
/// As many tasks as this, if the sums of the chunks do not take more than `MAX_SUMS` numbers (4 MiB).
const TASKS: usize = 32;
const MAX_SUMS: usize = 1 << 20;

impl GradWeight for ImplicitGemm {
    fn workspace(&self, shape: &Conv2dShape, threads: usize, _precision: Precision) -> usize {
        Plan::new(shape, self.panel_columns(shape.group_out())).workspace(threads)
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
        Plan::new(shape, self.panel_columns(shape.group_out())).run(cpu, self.gemm(), x, dy, dweight, workspace);
    }
}

/// `dweight = Σ_chunk sums[chunk]`, in the order of the chunks.
pub(super) fn add_chunks(cpu: &Cpu, sums: &[f32], dweight: &mut [f32]) {
    const PART: usize = 4096;
    let len = dweight.len();
    cpu.pool().for_each_chunk(dweight, PART, |number, part| {
        let at = number * PART;
        part.copy_from_slice(&sums[at..][..part.len()]);
        for chunk in sums[len..].chunks_exact(len) {
            part.iter_mut().zip(&chunk[at..]).for_each(|(sum, &more)| *sum += more);
        }
    });
}

/// How the work is cut: tasks are chunks of pixels × groups × blocks of channels × parts of the columns.
///
/// Words are numbers of a pixel, or those of two pixels side by side in a row, for maps of 16 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    shape: Conv2dShape,
    of_pairs: bool,
    /// Pixels of a row of dy.
    across: usize,
    /// Of words.
    windows: Windows,
    cut: Cut,
    /// Width of a panel of dy.
    panel: usize,
    block_channels: usize,
    part_panels: usize,
    chunks: usize,
}

impl Plan {
    fn new(shape: &Conv2dShape, panel: usize) -> Self {
        Self::of_words(shape, panel, false)
    }

    pub(super) fn of_pairs(shape: &Conv2dShape, panel: usize) -> Self {
        Self::of_words(shape, panel, true)
    }

    fn of_words(shape: &Conv2dShape, panel: usize, of_pairs: bool) -> Self {
        let windows = Windows::of_forward(shape);
        let across = windows.columns.out;
        let windows = if of_pairs { windows.paired() } else { windows };
        let cut = windows.cut(BLOCK_PIXELS);
        let even = |all: usize, most: usize| all.div_ceil(all.div_ceil(most.max(1)));
        let block_channels = even(shape.group_in(), (TASK_ROWS / shape.taps()).max(1));
        let part_panels = even(shape.group_out().div_ceil(panel), TASK_COLUMNS / panel);
        let mut plan =
            Self { shape: *shape, of_pairs, across, windows, cut, panel, block_channels, part_panels, chunks: 1 };
        let most = (MAX_SUMS / shape.weight_len()).min(cut.blocks()).max(1);
        plan.chunks = TASKS.div_ceil(plan.tasks()).min(most);
        plan
    }

    pub(super) fn workspace(&self, threads: usize) -> usize {
        self.sums_len() + Workers::len(threads, self.scratch_len())
    }

    /// Computes the gradient. Both maps are of one type.
    pub(super) fn run(
        &self,
        cpu: &Cpu,
        gemm: Gemm,
        x: Floats<'_>,
        dy: Floats<'_>,
        dweight: &mut [f32],
        workspace: &mut [f32],
    ) {
        let (sums, scratch) = workspace.split_at_mut(self.sums_len());
        let workers = Workers::new(scratch, self.scratch_len());
        {
            let target = Disjoint::new(if self.chunks == 1 { &mut *dweight } else { &mut *sums });
            cpu.pool().run(self.tasks(), &|task, worker| {
                // SAFETY: a worker runs one task at a time; tasks write different chunks, rows or columns.
                unsafe { self.run_task(gemm, task, x, dy, &target, workers.scratch(worker)) }
            });
        }
        if self.chunks > 1 {
            add_chunks(cpu, sums, dweight);
        }
    }

    fn sums_len(&self) -> usize {
        if self.chunks == 1 { 0 } else { self.chunks * self.shape.weight_len() }
    }

    fn channel_blocks(&self) -> usize {
        self.shape.group_in().div_ceil(self.block_channels)
    }

    fn parts(&self) -> usize {
        self.shape.group_out().div_ceil(self.part_panels * self.panel)
    }

    fn tasks(&self) -> usize {
        self.chunks * self.shape.groups * self.channel_blocks() * self.parts()
    }

    /// Numbers from one pixel of the copied windows to the next: an odd number of cache lines, so that a strip of
    /// pixels spreads over all sets of the cache.
    fn pitch(&self) -> usize {
        const LINE: usize = 16;
        if self.block_channels < LINE { self.block_channels } else { (self.block_channels.div_ceil(LINE) | 1) * LINE }
    }

    /// Whole cache lines, so that the panels behind it are aligned.
    fn copy_len(&self) -> usize {
        self.windows.copy_len(&self.cut, self.pitch()).next_multiple_of(16)
    }

    fn scratch_len(&self) -> usize {
        self.copy_len() + self.cut.block_pixels() * self.part_panels * self.panel
    }

    /// Computes one task.
    ///
    /// # Safety
    /// While this runs nobody else touches the target's chunk, rows and columns of this task.
    unsafe fn run_task(
        &self,
        gemm: Gemm,
        task: usize,
        x: Floats<'_>,
        dy: Floats<'_>,
        target: &Disjoint<'_, f32>,
        scratch: &mut [f32],
    ) {
        let (rest, part) = (task / self.parts(), task % self.parts());
        let (rest, channel_block) = (rest / self.channel_blocks(), rest % self.channel_blocks());
        let (chunk, group) = (rest / self.shape.groups, rest % self.shape.groups);
        let first = channel_block * self.block_channels;
        let channels = first..(first + self.block_channels).min(self.shape.group_in());
        let column = part * self.part_panels * self.panel;
        let columns = column..(column + self.part_panels * self.panel).min(self.shape.group_out());
        let part = Part { chunk, group, channels, columns };
        let (copy, panels) = scratch.split_at_mut(self.copy_len());
        let blocks = self.cut.blocks();
        let mine = chunk * blocks / self.chunks..(chunk + 1) * blocks / self.chunks;
        for number in mine.clone() {
            let block = self.cut.block(number);
            let windows = WindowCopy::new(&self.windows, &block, self.pitch());
            let group_first = group * self.shape.group_in();
            let channels = group_first + part.channels.start..group_first + part.channels.end;
            match (x, dy) {
                (Floats::Bf16(x), Floats::Bf16(dy)) if self.of_pairs => {
                    windows.fill_pairs(x, channels, copy);
                    self.pack_pairs(&part, &block, dy, panels);
                }
                (x, Floats::F32(dy)) => {
                    windows.fill(x, channels, copy);
                    self.pack(&part, &block, dy, panels);
                }
                (x, Floats::Bf16(dy)) => {
                    windows.fill(x, channels, copy);
                    self.pack(&part, &block, dy, panels);
                }
            }
            let block = Factors { windows: &windows, block: &block, copy, panels, accumulate: number > mine.start };
            // SAFETY: the task's own part of the target, by the caller's promise.
            unsafe { self.multiply(gemm, &part, &block, target) }
        }
    }

    /// Packs a block of dy into panels. Its pixels follow one another: a block is whole rows or a part of one.
    fn pack<E: Element>(&self, part: &Part, block: &Block, dy: &[E], panels: &mut [f32]) {
        let first = block.rows.start * self.across + block.columns.start;
        self.for_each_panel(part, block, panels, |columns, to| {
            pack_rows(to, self.panel, |i| &dy[(first + i) * self.shape.out_channels..][columns.clone()]);
        });
    }

    /// As [`pack`](Self::pack), two pixels at a time; what a row lacks is zero.
    fn pack_pairs(&self, part: &Part, block: &Block, dy: &[Bf16], panels: &mut [f32]) {
        let words = block.columns.len();
        self.for_each_panel(part, block, panels, |columns, to| {
            pack_pairs(to, self.panel, |i| {
                let (row, column) = (block.rows.start + i / words, 2 * (block.columns.start + i % words));
                let pixel = |column: usize| {
                    let pixel = row * self.across + column;
                    if column < self.across { &dy[pixel * self.shape.out_channels..][columns.clone()] } else { &[] }
                };
                [pixel(column), pixel(column + 1)]
            });
        });
    }

    /// Calls `each` with the columns of dy that go to a panel.
    fn for_each_panel(
        &self,
        part: &Part,
        block: &Block,
        panels: &mut [f32],
        mut each: impl FnMut(Range<usize>, &mut [f32]),
    ) {
        let len = block.pixels() * self.panel;
        let group = part.group * self.shape.group_out();
        for (first, to) in part.columns.clone().step_by(self.panel).zip(panels.chunks_exact_mut(len)) {
            each(group + first..group + (first + self.panel).min(part.columns.end), to);
        }
    }

    /// Adds a block's products to the part.
    ///
    /// # Safety
    /// As for [`run_task`](Self::run_task).
    unsafe fn multiply(&self, gemm: Gemm, part: &Part, block: &Factors<'_>, target: &Disjoint<'_, f32>) {
        let mut places = [0; BLOCK_PIXELS];
        let across = block.block.columns.len();
        block.windows.for_each_row(|row, start| {
            for (column, place) in places[row * across..][..across].iter_mut().enumerate() {
                *place = start + column * block.windows.column_pitch();
            }
        });
        let places = Places::new(&places[..block.block.pixels()]);
        let len = block.block.pixels() * self.panel;
        let (run, runs) = self.runs(part);
        let tile = run.div_ceil(run.div_ceil(MOST_ROWS));
        for (panel, from) in part.columns.clone().step_by(self.panel).zip(block.panels.chunks_exact(len)) {
            let c_column = part.chunk * self.shape.weight_len() + part.group * self.shape.group_out() + panel;
            // A tile's channels at all taps before the next channels: they lie in the same cache lines.
            for first in (0..run).step_by(tile) {
                for number in 0..runs {
                    let tap = number * self.shape.taps() / runs;
                    let [y, x] = [tap / self.shape.kernel[1], tap % self.shape.kernel[1]];
                    let place = y * block.windows.row_pitch() + x * self.pitch() + first;
                    let row = tap * self.shape.group_in() + part.channels.start + first;
                    let mut c_rows = [0; MOST_ROWS];
                    let c_rows = &mut c_rows[..tile.min(run - first)];
                    c_rows.iter_mut().zip(row..).for_each(|(c, row)| *c = row * self.shape.out_channels);
                    let product = Product {
                        left: Left::Columns { numbers: block.copy, first: place, places },
                        panel: from,
                        width: self.panel,
                        c: target,
                        c_rows: Places::new(c_rows),
                        c_column,
                        columns: self.panel.min(part.columns.end - panel),
                        store: Store { accumulate: block.accumulate, ..Store::default() },
                    };
                    // SAFETY: the task's own part of the target, by the caller's promise.
                    unsafe { gemm.multiply(&product) }
                }
            }
        }
    }

    /// Numbers of a window that lie side by side, in the copy and in the gradient, and how often: the channels of a tap,
    /// or a whole row of the window where a task has all channels.
    fn runs(&self, part: &Part) -> (usize, usize) {
        let channels = part.channels.len();
        if channels == self.shape.group_in() && channels == self.pitch() {
            (self.shape.kernel[1] * channels, self.shape.kernel[0])
        } else {
            (channels, self.shape.taps())
        }
    }
}

/// What a task computes: chunk of pixels, group, and the group's channels and columns.
struct Part {
    chunk: usize,
    group: usize,
    channels: Range<usize>,
    columns: Range<usize>,
}

/// A block of pixels: windows of x, panels of dy.
struct Factors<'f> {
    windows: &'f WindowCopy<'f>,
    block: &'f Block,
    copy: &'f [f32],
    panels: &'f [f32],
    accumulate: bool,
}
