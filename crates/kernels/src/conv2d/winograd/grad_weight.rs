//! The gradient of the weight: for every place of a tile, the product of the transformed tiles of x and dy, summed
//! over all tiles in their order, then transformed back.
//!
//! Two orders. *Passes*: each pass is done for a group of tiles by all threads before the next one; the sums of all
//! places lie in the third cache. *Blocks*, for few tiles and many channels, whose sums would be tens of MiB: all tiles
//! are transformed first; then every task sums a block of channels and a panel, which stay in the second cache, and
//! transforms them back.

use std::ops::Range;

use super::Winograd;
use super::convolution::{even, parts};
use super::geometry::{Geometry, LINE, Layout, View};
use super::level::Kernels;
use super::product::{Product, TERMS};
use super::tiles::Gather;
use super::weights::Unpack;
use crate::conv2d::Conv2dShape;
use crate::conv2d::method::GradWeight;
use crate::gemm::L2_BYTES;
use crate::pool::Disjoint;
use crate::workers::Workers;
use crate::{Cpu, Floats, Pool, Precision};

/// Numbers of transformed tiles of x in a group: they stay in the third cache until they are multiplied.
const GROUP: usize = 1 << 20;
/// Numbers of sums in the order of passes, at most.
const SUMS: usize = 4 << 20;
/// Numbers of a block's sums in the order of blocks, at most.
const BLOCK: usize = L2_BYTES / 4 / 2;
/// Tiles that are summed in registers at once, and channels of x that meet them: 24 KiB of the first cache.
const BLOCK_TILES: usize = 64;
const BLOCK_CHANNELS: usize = 96;
/// A pass is cut into about so many tasks.
const TASKS: usize = 64;

impl GradWeight for Winograd {
    fn workspace(&self, shape: &Conv2dShape, threads: usize, _precision: Precision) -> usize {
        Correlation::new(Geometry::forward(shape, self.tile), self.kernels).workspace(threads)
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
        self.assert_level();
        let correlation = Correlation::new(Geometry::forward(shape, self.tile), self.kernels);
        correlation.run(cpu.pool(), [x, dy], dweight, workspace);
    }
}

/// How the work is done, fixed by the shape. Holds the kernels of a level that the machine has.
struct Correlation {
    geometry: Geometry,
    kernels: &'static Kernels,
    /// Whether the order is that of blocks.
    blocks: bool,
    /// Tiles of a group; in the order of blocks, all.
    tiles: usize,
    /// Channels of x that a task of the product sums.
    channels: usize,
}

impl Correlation {
    fn new(geometry: Geometry, kernels: &'static Kernels) -> Self {
        let g = &geometry;
        let row = g.places() * kernels.columns;
        let sums = row * g.depth * g.columns.div_ceil(kernels.columns);
        if sums > SUMS {
            let channels = even(g.depth, BLOCK / row).next_multiple_of(LINE).min(g.depth);
            return Self { geometry, kernels, blocks: true, tiles: g.tiles(), channels };
        }
        let tile = g.places() * Layout::rows(1, g.depth).row_step;
        let tiles = even(g.tiles(), (GROUP / tile).max(BLOCK_TILES));
        Self { geometry, kernels, blocks: false, tiles, channels: even(g.depth, BLOCK_CHANNELS) }
    }

    fn all_panels(&self) -> usize {
        self.geometry.columns.div_ceil(self.kernels.columns)
    }

    /// Transformed x: rows are tiles. In the order of blocks, the channels of a task lie together.
    fn source(&self) -> Layout {
        match self.blocks {
            true => Layout::panels(self.tiles, self.geometry.depth, self.channels),
            false => Layout::rows(self.tiles, self.geometry.depth),
        }
    }

    /// Transformed dy of all panels: rows are tiles.
    fn gradient(&self) -> Layout {
        Layout::panels(self.tiles, self.geometry.columns, self.kernels.columns)
    }

    /// Sums: rows are channels of x. Of a task, or of all.
    fn sums(&self) -> Layout {
        let width = self.kernels.columns;
        match self.blocks {
            true => Layout::panels(self.channels, width, width),
            false => Layout::panels(self.geometry.depth, self.geometry.columns, width),
        }
    }

    fn zeros_len(&self) -> usize {
        self.geometry.depth.max(self.geometry.columns).next_multiple_of(LINE)
    }

    fn workspace(&self, threads: usize) -> usize {
        let [source, gradient, sums] =
            [self.source(), self.gradient(), self.sums()].map(|layout| layout.len(self.geometry.places()));
        let sums = if self.blocks { Workers::len(threads, sums) } else { sums };
        self.zeros_len() + source + gradient + sums
    }

    fn run(&self, pool: &Pool, [x, dy]: [Floats<'_>; 2], dweight: &mut [f32], workspace: &mut [f32]) {
        let places = self.geometry.places();
        let (zeros, rest) = workspace.split_at_mut(self.zeros_len());
        zeros.fill(0.0);
        let (source, rest) = rest.split_at_mut(self.source().len(places));
        let (gradient, sums) = rest.split_at_mut(self.gradient().len(places));
        let dweight = Disjoint::new(dweight);
        for tiles in parts(self.geometry.tiles(), self.tiles) {
            let view = self.geometry.source_view();
            self.gather(pool, (self.kernels.gather, view, self.source()), x, zeros, tiles.clone(), source);
            let view = self.geometry.target_view();
            self.gather(
                pool,
                (self.kernels.gather_gradient, view, self.gradient()),
                dy,
                zeros,
                tiles.clone(),
                gradient,
            );
            if self.blocks {
                self.run_blocks(pool, source, gradient, sums, &dweight);
            } else {
                self.multiply_group(pool, source, gradient, tiles, sums);
            }
        }
        if !self.blocks {
            self.unpack_all(pool, sums, &dweight);
        }
    }

    /// Every task takes its channels of x and its panel of dy through all passes.
    fn run_blocks(
        &self,
        pool: &Pool,
        source: &[f32],
        gradient: &[f32],
        scratch: &mut [f32],
        dweight: &Disjoint<'_, f32>,
    ) {
        let (g, layout, panels) = (&self.geometry, self.sums(), self.all_panels());
        let len = layout.len(g.places());
        let workers = Workers::new(scratch, len);
        // Panels side by side: the channels of x stay in the cache.
        pool.run(g.depth.div_ceil(self.channels) * panels, &|task, worker| {
            let (first, panel) = (task / panels * self.channels, task % panels);
            let channels = first..(first + self.channels).min(g.depth);
            // SAFETY: a worker runs one task at a time.
            let sums = unsafe { workers.scratch(worker) };
            for (place, sums) in sums[..len].chunks_exact_mut(layout.place_step).enumerate() {
                for block in parts(self.tiles, even(self.tiles, BLOCK_TILES)) {
                    let accumulate = block.start > 0;
                    self.multiply([place, panel], block, channels.clone(), source, gradient, sums, accumulate);
                }
            }
            // SAFETY: every task has its own rows and columns.
            unsafe { self.unpack(sums, panel, channels, dweight) }
        });
    }

    fn gather(
        &self,
        pool: &Pool,
        (kernel, view, layout): (unsafe fn(&Gather<'_>), View, Layout),
        from: Floats<'_>,
        zeros: &[f32],
        tiles: Range<usize>,
        to: &mut [f32],
    ) {
        let part = tiles.len().div_ceil(TASKS);
        let end = to.len();
        let to = Disjoint::new(to);
        pool.run(tiles.len().div_ceil(part), &|task, _| {
            let first = task * part;
            let tiles = tiles.start + first..(tiles.start + first + part).min(tiles.end);
            let to = to.pointer(layout.at(first, 0)..end);
            let job = Gather { geometry: &self.geometry, view, from, zeros, tiles, to, layout };
            // SAFETY: the level was asserted; every task has its own tiles, for which there is room.
            unsafe { kernel(&job) }
        });
    }

    /// One place and panel: the products of some channels of x, summed over some tiles of the group.
    fn multiply(
        &self,
        [place, panel]: [usize; 2],
        tiles: Range<usize>,
        channels: Range<usize>,
        source: &[f32],
        gradient: &[f32],
        sums: &mut [f32],
        accumulate: bool,
    ) {
        let (left, right) = (self.source(), self.gradient());
        let mut product = Product {
            a: &source[place * left.place_step + left.at(tiles.start, channels.start)..],
            term_step: left.row_step,
            part_step: TERMS * left.row_step,
            rows: channels.len(),
            depth: tiles.len(),
            b: &gradient[place * right.place_step + right.at(tiles.start, panel * right.chunk)..],
            c: sums,
            accumulate,
        };
        // SAFETY: the level was asserted.
        unsafe { (self.kernels.multiply_gradient)(&mut product) }
    }

    /// Adds the products of a group of tiles to the sums.
    fn multiply_group(&self, pool: &Pool, source: &[f32], gradient: &[f32], tiles: Range<usize>, sums: &mut [f32]) {
        let (g, layout) = (&self.geometry, self.sums());
        let channel_blocks = g.depth.div_ceil(self.channels);
        let sums = Disjoint::new(sums);
        pool.run(g.places() * channel_blocks, &|task, _| {
            let (place, first) = (task / channel_blocks, task % channel_blocks * self.channels);
            let channels = first..(first + self.channels).min(g.depth);
            for block in parts(tiles.len(), even(tiles.len(), BLOCK_TILES)) {
                for panel in 0..self.all_panels() {
                    let at = place * layout.place_step + layout.at(first, panel * layout.chunk);
                    // SAFETY: every task has its own places and channels.
                    let sums = unsafe { sums.slice(at, channels.len() * layout.row_step) };
                    let accumulate = tiles.start + block.start > 0;
                    self.multiply([place, panel], block.clone(), channels.clone(), source, gradient, sums, accumulate);
                }
            }
        });
    }

    /// Transforms all sums back.
    fn unpack_all(&self, pool: &Pool, sums: &[f32], dweight: &Disjoint<'_, f32>) {
        let (g, panels) = (&self.geometry, self.all_panels());
        let rows = even(g.depth, (g.depth * panels).div_ceil(TASKS));
        pool.run(g.depth.div_ceil(rows) * panels, &|task, _| {
            let (first, panel) = (task / panels * rows, task % panels);
            let from = &sums[self.sums().at(first, panel * self.kernels.columns)..];
            // SAFETY: every task has its own rows and columns.
            unsafe { self.unpack(from, panel, first..(first + rows).min(g.depth), dweight) }
        });
    }

    /// Transforms the sums of some channels of x and a panel back.
    ///
    /// # Safety
    /// Nobody else touches these rows and columns of the gradient.
    unsafe fn unpack(&self, sums: &[f32], panel: usize, rows: Range<usize>, dweight: &Disjoint<'_, f32>) {
        let (g, width) = (&self.geometry, self.kernels.columns);
        let job = Unpack {
            from: sums,
            layout: self.sums(),
            depth: g.depth,
            all_columns: g.columns,
            columns: panel * width..((panel + 1) * width).min(g.columns),
            rows,
            to: dweight.pointer(0..dweight.len()),
            len: dweight.len(),
        };
        // SAFETY: the level was asserted; the gradient by the caller's promise.
        unsafe { (self.kernels.unpack)(&job) }
    }
}
