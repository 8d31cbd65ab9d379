//! Forward and gradient of the input: tiles of the source times transformed weights.
//!
//! Three orders of the same passes, by what fits the second cache.
//!
//! - *Tiles*, for few channels, whose transformed weights are small: those of all panels are made first; then every task
//!   takes a block of tiles through all passes.
//! - *Panels*, for few tiles and many channels, whose transformed weights would be tens of MiB: all tiles are transformed
//!   first; then every task takes a panel of weights, some channels at a time, through all passes.
//! - *Passes*, for what is between: each pass is done for a group of tiles and panels by all threads before the next
//!   one, the transforms lying in the third cache.

use std::ops::Range;

use super::Winograd;
use super::geometry::{Geometry, LINE, Layout};
use super::level::Kernels;
use super::product::Product;
use super::tiles::{Gather, Scatter};
use super::weights::Pack;
use crate::conv2d::method::{Forward, GradInput};
use crate::conv2d::workers::Workers;
use crate::conv2d::{Conv2dShape, Epilogue};
use crate::gemm::L2_BYTES;
use crate::pool::Disjoint;
use crate::{Cpu, Pool};

/// Numbers of a block's transformed source in the order of tiles: some of the second cache is left for a panel of
/// products and one of weights.
const BLOCK: usize = L2_BYTES / 4 * 5 / 8;
/// Tiles of a block at most; fewer than the least are not worth the traffic of weights.
const MOST_TILES: usize = 48;
const LEAST_TILES: usize = 12;
/// Numbers of a panel's products in the order of panels, at most, and of its transformed weights at once.
const PANEL_PRODUCTS: usize = L2_BYTES / 4 * 5 / 16;
const PANEL_WEIGHTS: usize = L2_BYTES / 4 * 7 / 16;
/// Panels that are worth an order of their own: fewer would leave threads without work.
const LEAST_PANELS: usize = 16;
/// Numbers of a group in the order of passes: transformed weights, and transformed tiles where all weights are one group.
const GROUP: usize = 2 << 20;
/// Numbers of a group's transformed tiles where the weights are several groups, which are made again for every group
/// of tiles.
const LARGE_GROUP: usize = 2 * GROUP;
/// A pass is cut into about so many tasks.
const TASKS: usize = 64;

impl Forward for Winograd {
    fn workspace(&self, shape: &Conv2dShape, threads: usize) -> usize {
        self.convolution(Geometry::forward(shape, self.tile)).workspace(threads)
    }

    fn run(
        &self,
        cpu: &Cpu,
        shape: &Conv2dShape,
        x: &[f32],
        weight: &[f32],
        epilogue: Epilogue<'_>,
        y: &mut [f32],
        workspace: &mut [f32],
    ) {
        self.assert_level();
        let tensors = Tensors { source: x, weight, turned: false, epilogue };
        self.convolution(Geometry::forward(shape, self.tile)).run(cpu.pool(), &tensors, y, workspace);
    }
}

impl GradInput for Winograd {
    fn workspace(&self, shape: &Conv2dShape, threads: usize) -> usize {
        self.convolution(Geometry::grad_input(shape, self.tile)).workspace(threads)
    }

    fn run(&self, cpu: &Cpu, shape: &Conv2dShape, dy: &[f32], weight: &[f32], dx: &mut [f32], workspace: &mut [f32]) {
        self.assert_level();
        let tensors = Tensors { source: dy, weight, turned: true, epilogue: Epilogue::NONE };
        self.convolution(Geometry::grad_input(shape, self.tile)).run(cpu.pool(), &tensors, dx, workspace);
    }
}

impl Winograd {
    fn convolution(&self, geometry: Geometry) -> Convolution {
        Convolution::new(geometry, self.kernels)
    }
}

/// What is convolved.
struct Tensors<'t> {
    source: &'t [f32],
    weight: &'t [f32],
    turned: bool,
    epilogue: Epilogue<'t>,
}

/// The order of the passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Tiles,
    Panels,
    Passes,
}

/// How the work is done, fixed by the shape. Holds the kernels of a level that the machine has.
struct Convolution {
    geometry: Geometry,
    kernels: &'static Kernels,
    order: Order,
    /// Tiles whose transforms exist at the same time: of a block, a group, or all.
    tiles: usize,
    /// Panels whose weights exist at the same time, and how many channels of the source they have.
    panels: usize,
    channels: usize,
}

impl Convolution {
    fn new(geometry: Geometry, kernels: &'static Kernels) -> Self {
        let g = &geometry;
        let (all_tiles, all_panels) = (g.tiles(), g.columns.div_ceil(kernels.columns));
        let tile = g.places() * Layout::rows(1, g.depth).row_step;
        let panel_row = g.places() * kernels.columns;
        let block = BLOCK / tile;
        if block >= LEAST_TILES {
            let most = block.min(MOST_TILES).min(all_tiles.div_ceil(TASKS / 4).max(LEAST_TILES));
            let tiles = even(all_tiles, most);
            return Self { geometry, kernels, order: Order::Tiles, tiles, panels: all_panels, channels: g.depth };
        }
        if all_tiles * panel_row <= PANEL_PRODUCTS && all_panels >= LEAST_PANELS {
            let channels = (PANEL_WEIGHTS / panel_row / LINE * LINE).clamp(LINE, g.depth);
            return Self { geometry, kernels, order: Order::Panels, tiles: all_tiles, panels: 1, channels };
        }
        let panels = even(all_panels, GROUP / (panel_row * g.depth));
        let room = if panels == all_panels { GROUP } else { LARGE_GROUP };
        let tiles = even(all_tiles, (room / tile).max(kernels.rows));
        Self { geometry, kernels, order: Order::Passes, tiles, panels, channels: g.depth }
    }

    fn workspace(&self, threads: usize) -> usize {
        let [source, weights, products] = [self.source_len(), self.weights_len(), self.products_len()];
        let transforms = match self.order {
            Order::Tiles => weights + Workers::len(threads, source + products),
            Order::Panels => source + Workers::len(threads, weights + products),
            Order::Passes => weights + source + products,
        };
        self.zeros_len() + transforms
    }

    fn all_panels(&self) -> usize {
        self.geometry.columns.div_ceil(self.kernels.columns)
    }

    fn zeros_len(&self) -> usize {
        self.geometry.depth.next_multiple_of(LINE)
    }

    /// Transformed source: rows are tiles. In the order of panels, the channels that are multiplied at once lie together.
    fn source(&self) -> Layout {
        match self.order {
            Order::Panels => Layout::panels(self.tiles, self.geometry.depth, self.channels),
            Order::Tiles | Order::Passes => Layout::rows(self.tiles, self.geometry.depth),
        }
    }

    fn source_len(&self) -> usize {
        self.source().len(self.geometry.places())
    }

    /// Transformed weights: rows are channels of the source.
    fn weights(&self) -> Layout {
        Layout::panels(self.channels, self.panels * self.kernels.columns, self.kernels.columns)
    }

    fn weights_len(&self) -> usize {
        self.weights().len(self.geometry.places())
    }

    /// Products: rows are tiles. Where a task does all passes, it does them panel by panel.
    fn products(&self) -> Layout {
        let panels = if self.order == Order::Passes { self.panels } else { 1 };
        Layout::panels(self.tiles, panels * self.kernels.columns, self.kernels.columns)
    }

    fn products_len(&self) -> usize {
        self.products().len(self.geometry.places())
    }

    /// Columns of the target that a panel has.
    fn columns(&self, panel: usize) -> Range<usize> {
        let first = panel * self.kernels.columns;
        first..(first + self.kernels.columns).min(self.geometry.columns)
    }

    fn run(&self, pool: &Pool, tensors: &Tensors<'_>, target: &mut [f32], workspace: &mut [f32]) {
        let (zeros, workspace) = workspace.split_at_mut(self.zeros_len());
        zeros.fill(0.0);
        let target = Disjoint::new(target);
        match self.order {
            Order::Tiles => self.run_tiles(pool, tensors, zeros, &target, workspace),
            Order::Panels => self.run_panels(pool, tensors, zeros, &target, workspace),
            Order::Passes => self.run_passes(pool, tensors, zeros, &target, workspace),
        }
    }

    /// Every task takes its block of tiles through all passes.
    fn run_tiles(
        &self,
        pool: &Pool,
        tensors: &Tensors<'_>,
        zeros: &[f32],
        target: &Disjoint<'_, f32>,
        workspace: &mut [f32],
    ) {
        let g = &self.geometry;
        let (weights, scratch) = workspace.split_at_mut(self.weights_len());
        self.pack_group(pool, tensors, 0..self.panels, weights);
        let workers = Workers::new(scratch, self.source_len() + self.products_len());
        pool.run(g.tiles().div_ceil(self.tiles), &|task, worker| {
            let tiles = task * self.tiles..((task + 1) * self.tiles).min(g.tiles());
            // SAFETY: a worker runs one task at a time.
            let (source, products) = unsafe { workers.scratch(worker) }.split_at_mut(self.source_len());
            let job = self.gather(tensors, zeros, tiles.clone(), source.as_mut_ptr());
            // SAFETY: the level was asserted; the scratch is this worker's and has room for a block.
            unsafe { (self.kernels.gather)(&job) }
            let step = self.products().place_step;
            for panel in 0..self.panels {
                for place in 0..g.places() {
                    let c = &mut products[place * step..];
                    self.multiply(place, [panel, tiles.len()], 0..g.depth, source, weights, c);
                }
                // SAFETY: every task has its own tiles.
                unsafe { self.scatter(tensors, products, tiles.clone(), panel, target) }
            }
        });
    }

    /// Every task takes its panel through all passes.
    fn run_panels(
        &self,
        pool: &Pool,
        tensors: &Tensors<'_>,
        zeros: &[f32],
        target: &Disjoint<'_, f32>,
        workspace: &mut [f32],
    ) {
        let g = &self.geometry;
        let (source, scratch) = workspace.split_at_mut(self.source_len());
        self.gather_group(pool, tensors, zeros, 0..self.tiles, source);
        let source = &*source;
        let workers = Workers::new(scratch, self.weights_len() + self.products_len());
        pool.run(self.all_panels(), &|panel, worker| {
            // SAFETY: a worker runs one task at a time.
            let (weights, products) = unsafe { workers.scratch(worker) }.split_at_mut(self.weights_len());
            let step = self.products().place_step;
            for channels in parts(g.depth, self.channels) {
                let job = self.pack(tensors, panel, channels.clone(), weights.as_mut_ptr());
                // SAFETY: the level was asserted; the scratch is this worker's and has room for a panel's channels.
                unsafe { (self.kernels.pack)(&job) }
                for place in 0..g.places() {
                    let c = &mut products[place * step..];
                    self.multiply(place, [0, self.tiles], channels.clone(), source, weights, c);
                }
            }
            // SAFETY: every task has its own columns.
            unsafe { self.scatter(tensors, products, 0..self.tiles, panel, target) }
        });
    }

    /// Every pass is done by all threads before the next one.
    fn run_passes(
        &self,
        pool: &Pool,
        tensors: &Tensors<'_>,
        zeros: &[f32],
        target: &Disjoint<'_, f32>,
        workspace: &mut [f32],
    ) {
        let (weights, rest) = workspace.split_at_mut(self.weights_len());
        let (source, rest) = rest.split_at_mut(self.source_len());
        let products = &mut rest[..self.products_len()];
        for tiles in parts(self.geometry.tiles(), self.tiles) {
            self.gather_group(pool, tensors, zeros, tiles.clone(), source);
            for panels in parts(self.all_panels(), self.panels) {
                // One group of weights serves all groups of tiles.
                if tiles.start == 0 || self.panels < self.all_panels() {
                    self.pack_group(pool, tensors, panels.clone(), weights);
                }
                self.multiply_group(pool, source, weights, [tiles.len(), panels.len()], products);
                self.scatter_group(pool, tensors, products, tiles.clone(), panels, target);
            }
        }
    }

    /// The job that transforms some channels' weights of a panel.
    fn pack<'p>(&self, tensors: &Tensors<'p>, panel: usize, rows: Range<usize>, to: *mut f32) -> Pack<'p> {
        Pack {
            weight: tensors.weight,
            turned: tensors.turned,
            depth: self.geometry.depth,
            all_columns: self.geometry.columns,
            columns: self.columns(panel),
            rows,
            to,
            layout: self.weights(),
        }
    }

    /// Transforms the weights of some panels.
    fn pack_group(&self, pool: &Pool, tensors: &Tensors<'_>, panels: Range<usize>, weights: &mut [f32]) {
        let (g, layout) = (&self.geometry, self.weights());
        let rows = even(g.depth, (g.depth * panels.len()).div_ceil(TASKS)).next_multiple_of(8).min(g.depth);
        let row_parts = g.depth.div_ceil(rows);
        let to = Disjoint::new(weights);
        pool.run(row_parts * panels.len(), &|task, _| {
            let (panel, first) = (task / row_parts, task % row_parts * rows);
            let to = to.pointer(layout.at(first, panel * layout.chunk)..self.weights_len());
            let job = self.pack(tensors, panels.start + panel, first..(first + rows).min(g.depth), to);
            // SAFETY: the level was asserted; every task has its own rows and panel, for which there is room.
            unsafe { (self.kernels.pack)(&job) }
        });
    }

    /// The job that transforms tiles of the source.
    fn gather<'g>(&'g self, tensors: &Tensors<'g>, zeros: &'g [f32], tiles: Range<usize>, to: *mut f32) -> Gather<'g> {
        let g = &self.geometry;
        Gather { geometry: g, view: g.source_view(), from: tensors.source, zeros, tiles, to, layout: self.source() }
    }

    /// One place of a tile: so many tiles times one of the panels there are; those channels of the source, added to what
    /// the ones before them gave.
    fn multiply(
        &self,
        place: usize,
        [panel, tiles]: [usize; 2],
        channels: Range<usize>,
        source: &[f32],
        weights: &[f32],
        products: &mut [f32],
    ) {
        let (left, right) = (self.source(), self.weights());
        let mut product = Product {
            a: &source[place * left.place_step + left.at(0, channels.start)..],
            row_step: left.row_step,
            depth_step: 1,
            rows: tiles,
            depth: channels.len(),
            b: &weights[place * right.place_step + panel * right.chunk_step..],
            c: products,
            accumulate: channels.start > 0,
        };
        // SAFETY: the level was asserted.
        unsafe { (self.kernels.multiply)(&mut product) }
    }

    /// # Safety
    /// Nobody else touches these tiles and columns of the target.
    unsafe fn scatter(
        &self,
        tensors: &Tensors<'_>,
        from: &[f32],
        tiles: Range<usize>,
        panel: usize,
        target: &Disjoint<'_, f32>,
    ) {
        let job = Scatter {
            geometry: &self.geometry,
            from,
            layout: self.products(),
            tiles,
            columns: self.columns(panel),
            epilogue: tensors.epilogue,
            to: target.pointer(0..target.len()),
            len: target.len(),
        };
        // SAFETY: the level was asserted; the target by the caller's promise.
        unsafe { (self.kernels.scatter)(&job) }
    }

    fn gather_group(&self, pool: &Pool, tensors: &Tensors<'_>, zeros: &[f32], tiles: Range<usize>, source: &mut [f32]) {
        let part = tiles.len().div_ceil(TASKS);
        let to = Disjoint::new(source);
        pool.run(tiles.len().div_ceil(part), &|task, _| {
            let first = task * part;
            let mine = tiles.start + first..(tiles.start + first + part).min(tiles.end);
            let to = to.pointer(self.source().at(first, 0)..self.source_len());
            let job = self.gather(tensors, zeros, mine, to);
            // SAFETY: the level was asserted; every task has its own tiles, for which there is room.
            unsafe { (self.kernels.gather)(&job) }
        });
    }

    fn multiply_group(
        &self,
        pool: &Pool,
        source: &[f32],
        weights: &[f32],
        [tiles, panels]: [usize; 2],
        products: &mut [f32],
    ) {
        let (g, layout) = (&self.geometry, self.products());
        let part = even(panels, panels * g.places() / TASKS);
        let panel_parts = panels.div_ceil(part);
        let products = Disjoint::new(products);
        pool.run(g.places() * panel_parts, &|task, _| {
            let place = task / panel_parts;
            let first = task % panel_parts * part;
            for panel in first..(first + part).min(panels) {
                let at = place * layout.place_step + panel * layout.chunk_step;
                // SAFETY: every task has its own places and panels.
                let c = unsafe { products.slice(at, layout.chunk_step) };
                self.multiply(place, [panel, tiles], 0..g.depth, source, weights, c);
            }
        });
    }

    fn scatter_group(
        &self,
        pool: &Pool,
        tensors: &Tensors<'_>,
        products: &[f32],
        tiles: Range<usize>,
        panels: Range<usize>,
        target: &Disjoint<'_, f32>,
    ) {
        let part = even(tiles.len(), (tiles.len() * panels.len()).div_ceil(TASKS));
        let tile_parts = tiles.len().div_ceil(part);
        pool.run(tile_parts * panels.len(), &|task, _| {
            // Panels side by side: the columns of a pixel lie next to each other.
            let (first, panel) = (task / panels.len() * part, task % panels.len());
            let mine = tiles.start + first..(tiles.start + first + part).min(tiles.end);
            let from = &products[self.products().at(first, panel * self.products().chunk)..];
            // SAFETY: every task has its own tiles and columns.
            unsafe { self.scatter(tensors, from, mine, panels.start + panel, target) }
        });
    }
}

/// Cuts `all` evenly into parts of at most `most`: the size of a part.
pub(super) fn even(all: usize, most: usize) -> usize {
    all.div_ceil(all.div_ceil(most.max(1)))
}

/// The parts of `0..all`.
pub(super) fn parts(all: usize, part: usize) -> impl Iterator<Item = Range<usize>> {
    (0..all).step_by(part).map(move |first| first..(first + part).min(all))
}
