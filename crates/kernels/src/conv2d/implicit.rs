//! Convolution as a matrix product whose left factor is read from windows of the source: the matrix of all windows
//! never exists.
//!
//! Forward, the rows are windows of x and the right factor is the weight. For the gradient of the input, the windows
//! lie in dy and the weight is turned round; a stride parts the pixels of dx into phases, each of which meets its own
//! taps, as a convolution of stride 1.

use std::ops::Range;

use super::window::{Block, Cut, WindowCopy, Windows};
use crate::floats::{Target as Results, convert_part};
use crate::gemm::{GEMM, Gemm, GemmKernel, L2_BYTES, Left, MAX_ROWS, MAX_SEGMENTS, Places, Product, Store};
use crate::pool::Disjoint;
use crate::unary::InPlace;
use crate::{Cpu, Floats, Level, Precision};

/// Pixels of a block: a panel of weights, once in the first cache, is used by so many rows. More would help little
/// (weights come from the third cache at a few bytes per hundred cycles) and make the copy of the windows larger.
pub(super) const BLOCK_PIXELS: usize = 192;
/// Depth that is summed in registers at once. A panel of 16 columns (36 KiB) is then a little more than the first cache
/// holds, but it comes from the second at 11 bytes a cycle of the 32 that are there, and the ends of tiles weigh less:
/// measured 8 % faster than 288, which would fit. Multiples of 9 · 32 divide the usual channels of 3×3 kernels evenly.
/// Panels of 64 columns are four times as large; half the depth gained nothing there.
pub(super) const BLOCK_DEPTH: usize = 576;
/// Columns of a task: what a block of pixels accumulates (192 KiB) stays in the second cache beside its windows. The
/// more, the longer the stretches in which results are written: 64 → 256 channels take a quarter less time than in two
/// tasks of 128.
const TASK_COLUMNS: usize = 256;
/// Numbers of a cache line.
const LINE: usize = 16;
/// A product is cut into about so many tasks, enough for 16 threads to end at about the same time. It does not depend
/// on the number of threads there are.
const TASKS: usize = 32;

/// The method: a kernel of the GEMM table applied to windows.
#[derive(Debug)]
pub(crate) struct ImplicitGemm {
    pub(super) name: &'static str,
    /// Its name as the product of a [`DepthwiseBlock`](super::DepthwiseBlock).
    pub(super) block_name: &'static str,
    /// Its name as a 1×1 convolution with norms: see [`normed`](super::normed).
    pub(super) normed_name: &'static str,
    pub(super) level: Level,
}

/// The rows of all levels, the most capable first.
pub(crate) static ROWS: &[ImplicitGemm] = &[
    #[cfg(target_arch = "x86_64")]
    ImplicitGemm {
        name: "conv2d_gemm_f32_avx512",
        block_name: "depthwise_block_f32_avx512",
        normed_name: "pointwise_norm_f32_avx512",
        level: Level::Avx512,
    },
    #[cfg(target_arch = "x86_64")]
    ImplicitGemm {
        name: "conv2d_gemm_f32_avx2",
        block_name: "depthwise_block_f32_avx2",
        normed_name: "pointwise_norm_f32_avx2",
        level: Level::Avx2,
    },
    #[cfg(target_arch = "aarch64")]
    ImplicitGemm {
        name: "conv2d_gemm_f32_neon",
        block_name: "depthwise_block_f32_neon",
        normed_name: "pointwise_norm_f32_neon",
        level: Level::Neon,
    },
    ImplicitGemm {
        name: "conv2d_gemm_f32_scalar",
        block_name: "depthwise_block_f32_scalar",
        normed_name: "pointwise_norm_f32_scalar",
        level: Level::Scalar,
    },
];

impl ImplicitGemm {
    fn kernel(&self) -> &'static GemmKernel {
        GEMM.iter().find(|kernel| kernel.level == self.level).expect("the GEMM table has a row for every level")
    }

    /// The kernel, with the proof that the machine has it.
    pub(super) fn gemm(&self) -> Gemm {
        let kernel = self.kernel();
        Gemm::new(kernel).unwrap_or_else(|| panic!("this machine has no {}: {} cannot run", kernel.level, kernel.name))
    }

    /// Width of the panels that so many columns are cut into.
    pub(super) fn panel_columns(&self, columns: usize) -> usize {
        self.kernel().panel_columns(columns)
    }
}

/// Where the results of a [`WindowProduct`] go: every `step`-th pixel of the target, from `first` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    pub(super) first: [usize; 2],
    pub(super) step: [usize; 2],
}

/// `target[pixel][group][n] = Σ_tap,c source[window of pixel][tap][group][c] · weight[group][tap][c][n]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct WindowProduct {
    windows: Windows,
    target: Target,
    groups: usize,
    /// Source channels of a group, and how many of them are summed at once.
    depth_channels: usize,
    block_channels: usize,
    /// Target channels of a group.
    columns: usize,
    /// Width of a panel; panels of a task; tasks side by side over the panels.
    panel: usize,
    part_panels: usize,
    parts: usize,
    cut: Cut,
}

impl WindowProduct {
    pub(super) fn new(windows: Windows, target: Target, groups: usize, panel: usize) -> Self {
        let (depth_channels, columns) = (windows.channels / groups, target.channels / groups);
        let taps = windows.rows.taps * windows.columns.taps;
        let blocks = (taps * depth_channels).div_ceil(BLOCK_DEPTH);
        let block_channels = depth_channels.div_ceil(blocks).next_multiple_of(8).min(depth_channels);
        let mut pixels = BLOCK_PIXELS;
        let mut cut = windows.cut(pixels);
        // Half the second cache for the copy of the windows; the rest is for panels and results.
        while windows.copy_len(&cut, block_channels) * 4 > L2_BYTES / 2 && pixels > 24 {
            pixels /= 2;
            cut = windows.cut(pixels);
        }
        let panels = columns.div_ceil(panel);
        let parts = TASKS.div_ceil(cut.blocks() * groups).max(columns.div_ceil(TASK_COLUMNS)).min(panels);
        let part_panels = panels.div_ceil(parts);
        let parts = panels.div_ceil(part_panels);
        Self { windows, target, groups, depth_channels, block_channels, columns, panel, part_panels, parts, cut }
    }

    fn taps(&self) -> usize {
        self.windows.rows.taps * self.windows.columns.taps
    }

    fn depth(&self) -> usize {
        self.taps() * self.depth_channels
    }

    /// Panels of all groups.
    pub(super) fn panels(&self) -> usize {
        self.groups * self.columns.div_ceil(self.panel)
    }

    /// Numbers of one packed panel.
    pub(super) fn panel_len(&self) -> usize {
        self.depth() * self.panel
    }

    /// Numbers that a worker's copy of windows takes: words that lie inside are read where they are.
    fn copy_len(&self, source: Precision) -> usize {
        match source {
            Precision::F32 if self.windows.are_inside() => 0,
            _ => self.windows.copy_len(&self.cut, self.block_channels).next_multiple_of(LINE),
        }
    }

    /// Numbers that a worker works in: its copy of windows, and its results until they are rounded.
    pub(super) fn scratch_len(&self, source: Precision, target: Precision) -> usize {
        let results = match target {
            Precision::F32 => 0,
            Precision::Bf16 => self.cut.block_pixels() * self.part_panels * self.panel,
        };
        self.copy_len(source) + results
    }

    /// Independent pieces of the work.
    pub(super) fn tasks(&self) -> usize {
        self.groups * self.cut.blocks() * self.parts
    }

    /// Packs one panel. `pack` is told the columns of the whole weight's right side, the tap (row-major), the channels
    /// of the source, and where they go: the order of depth is blocks of channels, then taps, then channels.
    pub(super) fn pack_panel(&self, number: usize, packed: &mut [f32], mut pack: impl FnMut(Piece, &mut [f32])) {
        let (group, panel) = (number / (self.panels() / self.groups), number % (self.panels() / self.groups));
        let column = panel * self.panel;
        let columns = column..(column + self.panel).min(self.columns);
        let mut rest = packed;
        for channels in self.channel_blocks() {
            for tap in 0..self.taps() {
                let (part, after) = rest.split_at_mut(channels.len() * self.panel);
                pack(Piece { group, columns: columns.clone(), tap, channels: channels.clone() }, part);
                rest = after;
            }
        }
    }

    /// Blocks of the depth, as channels of a group.
    fn channel_blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (all, block) = (self.depth_channels, self.block_channels);
        (0..all).step_by(block).map(move |first| first..(first + block).min(all))
    }

    /// Computes one of the [`tasks`](Self::tasks).
    ///
    /// # Safety
    /// While this runs nobody else touches the target's pixels and columns of this task: tasks of different numbers,
    /// and of products with different phases of the target, do not overlap.
    pub(super) unsafe fn run(&self, gemm: Gemm, task: usize, tensors: &Tensors<'_>, scratch: &mut [f32]) {
        let (block, part) = (task / self.parts, task % self.parts);
        let (group, block) = (block / self.cut.blocks(), self.cut.block(block % self.cut.blocks()));
        let panels = part * self.part_panels..((part + 1) * self.part_panels).min(self.columns.div_ceil(self.panel));
        let mut c_rows = [0; MAX_ROWS];
        let c_rows = &mut c_rows[..block.pixels()];
        let (first_column, pitch) = (panels.start * self.panel, panels.len() * self.panel);
        let columns = (panels.end * self.panel).min(self.columns) - first_column;
        let (copy, results) = scratch.split_at_mut(self.copy_len(tensors.source.precision()));
        // Sums of 16 bits would lose what is added to them: they are made beside the target.
        let beside = Disjoint::new(results);
        let (target, c_first) = match tensors.target {
            Results::F32(target) => {
                self.place_results(&block, c_rows);
                (target, group * self.columns + first_column)
            }
            Results::Bf16(_) => {
                c_rows.iter_mut().enumerate().for_each(|(pixel, row)| *row = pixel * pitch);
                (&beside, 0)
            }
        };
        let results = Places::new(c_rows);
        let mut depth = 0;
        for channels in self.channel_blocks() {
            let all = group * self.depth_channels + channels.start..group * self.depth_channels + channels.end;
            let mut a_rows = [0; MAX_ROWS];
            let left = self.left(&block, all, tensors.source, copy, &mut a_rows[..block.pixels()]);
            let rows = Places::new(&a_rows[..block.pixels()]);
            for first in (0..left.count).step_by(MAX_SEGMENTS) {
                let mut segments = [0; MAX_SEGMENTS];
                let segments = &mut segments[..MAX_SEGMENTS.min(left.count - first)];
                segments.iter_mut().zip(first..).for_each(|(segment, i)| *segment = left.segment(i));
                let end = depth + segments.len() * left.run;
                for panel in panels.clone() {
                    let column = panel * self.panel;
                    let columns = self.panel.min(self.columns - column);
                    let bias = group * self.columns + column;
                    let at = (group * self.columns.div_ceil(self.panel) + panel) * self.panel_len();
                    let product = Product {
                        left: Left::Rows { numbers: left.a, rows, segments, run: left.run },
                        width: self.panel,
                        panel: &tensors.packed[at + depth * self.panel..at + end * self.panel],
                        c: target,
                        c_rows: results,
                        c_column: c_first + column - first_column,
                        columns,
                        store: tensors.store(bias..bias + columns, depth > 0, end == self.depth()),
                    };
                    // SAFETY: the task's own pixels and columns, by the caller's promise.
                    unsafe { gemm.multiply(&product) }
                }
                depth = end;
            }
        }
        if let Some(activation) = tensors.late {
            for row in &*c_rows {
                // SAFETY: the task's own pixels and columns, by the caller's promise.
                activation.apply(unsafe { target.slice(*row + c_first, columns) });
            }
        }
        if let Results::Bf16(target) = tensors.target {
            self.place_results(&block, c_rows);
            for (pixel, row) in c_rows.iter().enumerate() {
                // SAFETY: the task's own pixels and columns, by the caller's promise; the results are this worker's.
                let (from, to) = unsafe {
                    let to = target.slice(*row + group * self.columns + first_column, columns);
                    (beside.slice(pixel * pitch, columns), to)
                };
                convert_part(tensors.cpu, from, to);
            }
        }
    }

    /// Where each pixel of a block is stored.
    fn place_results(&self, block: &Block, c_rows: &mut [usize]) {
        let (target, out) = (&self.target, self.windows.rows.out);
        let mut c_rows = c_rows.iter_mut();
        for row in block.rows.clone() {
            let y = row / out * target.height + row % out * target.step[0] + target.first[0];
            let first = y * target.width + target.first[1];
            for (column, c_row) in block.columns.clone().zip(&mut c_rows) {
                *c_row = (first + column * target.step[1]) * target.channels;
            }
        }
    }

    /// The left factor of a block: windows where they lie if none reaches outside, else a padded copy.
    fn left<'a>(
        &self,
        block: &Block,
        channels: Range<usize>,
        source: Floats<'a>,
        copy: &'a mut [f32],
        a_rows: &mut [usize],
    ) -> WindowRows<'a> {
        let windows = &self.windows;
        let [high, wide] = [windows.rows.taps, windows.columns.taps];
        let mut a_rows = a_rows.iter_mut();
        let as_it_lies = match source {
            Floats::F32(source) if windows.are_inside() => Some(source),
            _ => None,
        };
        let Some(source) = as_it_lies else {
            let copied = WindowCopy::new(windows, block, channels.len());
            copied.for_each_row(|_, start| {
                for (column, a_row) in (0..block.columns.len()).zip(&mut a_rows) {
                    *a_row = start + column * copied.column_pitch();
                }
            });
            let row = wide * channels.len();
            copied.fill(source, channels, copy);
            return WindowRows::new(copy, [high, row], copied.row_pitch());
        };
        for row in block.rows.clone() {
            let start = windows.start(row, block.columns.start);
            for (column, a_row) in (0..block.columns.len()).zip(&mut a_rows) {
                *a_row = start + column * windows.columns.step * windows.channels;
            }
        }
        let row_pitch = windows.columns.source * windows.channels;
        let a = &source[channels.start..];
        if channels.len() == windows.channels {
            return WindowRows::new(a, [high, wide * channels.len()], row_pitch);
        }
        let run = channels.len();
        WindowRows { a, count: high * wide, across: wide, pitches: [row_pitch, windows.channels], run }
    }
}

/// The rows of a left factor: `count` segments, `across` of them side by side and then the next row of the window.
struct WindowRows<'a> {
    a: &'a [f32],
    count: usize,
    across: usize,
    /// From one row of segments to the next, and from one segment of a row to the next.
    pitches: [usize; 2],
    /// Numbers of a segment.
    run: usize,
}

impl<'a> WindowRows<'a> {
    /// Windows of some rows. Short ones, as of pictures of one channel, are given number by number: to leave a loop costs
    /// as much as some of its rounds. Of three channels and 3 × 3, rows of nine are already faster as rows.
    fn new(a: &'a [f32], [rows, len]: [usize; 2], row_pitch: usize) -> Self {
        const SHORT: usize = 8;
        if len < SHORT {
            Self { a, count: rows * len, across: len, pitches: [row_pitch, 1], run: 1 }
        } else {
            Self { a, count: rows, across: 1, pitches: [row_pitch, 0], run: len }
        }
    }

    fn segment(&self, number: usize) -> usize {
        number / self.across * self.pitches[0] + number % self.across * self.pitches[1]
    }
}

/// A part of a panel: some channels of one tap.
pub(super) struct Piece {
    pub(super) group: usize,
    /// Columns of the group.
    pub(super) columns: Range<usize>,
    pub(super) tap: usize,
    /// Channels of the group.
    pub(super) channels: Range<usize>,
}

/// What a [`WindowProduct`] reads and writes.
pub(super) struct Tensors<'t> {
    pub(super) cpu: &'t Cpu,
    pub(super) source: Floats<'t>,
    pub(super) packed: &'t [f32],
    pub(super) target: &'t Results<'t>,
    pub(super) bias: Option<&'t [f32]>,
    pub(super) residual: Option<&'t [f32]>,
    /// With [`Epilogue::ceiling`](super::Epilogue::ceiling)'s meaning.
    pub(super) ceiling: Option<f32>,
    /// What is done to the results of a task when all are there.
    pub(super) late: Option<InPlace<'t>>,
}

impl Tensors<'_> {
    /// The epilogue is applied when the last part of the depth is added.
    fn store(&self, columns: Range<usize>, accumulate: bool, last: bool) -> Store<'_> {
        if !last {
            return Store { accumulate, ..Store::default() };
        }
        let bias = self.bias.map(|bias| &bias[columns]);
        Store { accumulate, bias, residual: self.residual, ceiling: self.ceiling }
    }
}
