//! The passes of a convolution in their orders: gather and transform tiles of the source, transform weights, multiply,
//! transform back.

use std::ops::Range;

use super::convolution::{Convolution, Order, TASKS, even, parts};
use super::product::Product;
use super::tiles::{Gather, Outputs, Scatter};
use super::weights::Pack;
use crate::conv2d::Epilogue;
use crate::floats::Target;
use crate::pool::Disjoint;
use crate::unary::InPlace;
use crate::workers::Workers;
use crate::{Cpu, Floats, FloatsMut, Pool};

/// What is convolved.
pub(super) struct Tensors<'t> {
    pub(super) source: Floats<'t>,
    pub(super) weights: Weights<'t>,
    pub(super) epilogue: Epilogue<'t>,
}

#[derive(Clone, Copy)]
pub(super) enum Weights<'t> {
    /// `[3][3][depth][columns]`.
    Straight(&'t [f32]),
    /// `[3][3][columns][depth]`, whose taps are met backwards.
    Turned(&'t [f32]),
    /// Transformed before.
    Kept(&'t [f32]),
}

/// A run of a convolution: what all its passes know. The level of the kernels was asserted by whoever made it.
pub(super) struct Run<'r> {
    convolution: &'r Convolution,
    pool: &'r Pool,
    tensors: Tensors<'r>,
    /// What is done to outputs when they are stored.
    late: Option<InPlace<'r>>,
    /// What is read outside the source.
    zeros: &'r [f32],
    target: Target<'r>,
}

impl Convolution {
    /// Computes the target, whatever it held before.
    pub(super) fn run(&self, cpu: &Cpu, tensors: Tensors<'_>, target: FloatsMut<'_>, workspace: &mut [f32]) {
        let (zeros, workspace) = workspace.split_at_mut(self.zeros_len());
        zeros.fill(0.0);
        let late = tensors.epilogue.late(cpu);
        let run = Run { convolution: self, pool: cpu.pool(), tensors, late, zeros, target: target.into() };
        match self.order {
            Order::Tiles => run.by_tiles(workspace),
            Order::Panels => run.by_panels(workspace),
            Order::Passes => run.by_passes(workspace),
        }
    }

    /// Transforms the weights of some panels.
    pub(super) fn pack_group(&self, pool: &Pool, from: Weights<'_>, panels: Range<usize>, weights: &mut [f32]) {
        let (g, layout) = (&self.geometry, self.weights());
        let rows = even(g.depth, (g.depth * panels.len()).div_ceil(TASKS)).next_multiple_of(8).min(g.depth);
        let row_parts = g.depth.div_ceil(rows);
        let to = Disjoint::new(weights);
        pool.run(row_parts * panels.len(), &|task, _| {
            let (panel, first) = (task / row_parts, task % row_parts * rows);
            let to = to.pointer(layout.at(first, panel * layout.chunk)..self.weights_len());
            let job = self.pack(from, panels.start + panel, first..(first + rows).min(g.depth), to);
            // SAFETY: the level was asserted; every task has its own rows and panel, for which there is room.
            unsafe { (self.kernels.pack)(&job) }
        });
    }

    /// The job that transforms some channels' weights of a panel.
    fn pack<'p>(&self, from: Weights<'p>, panel: usize, rows: Range<usize>, to: *mut f32) -> Pack<'p> {
        let (weight, turned) = match from {
            Weights::Straight(weight) => (weight, false),
            Weights::Turned(weight) => (weight, true),
            Weights::Kept(_) => unreachable!("kept weights are transformed already"),
        };
        Pack {
            weight,
            turned,
            depth: self.geometry.depth,
            all_columns: self.geometry.columns,
            columns: self.columns(panel),
            rows,
            to,
            layout: self.weights(),
        }
    }
}

impl Run<'_> {
    /// Every task takes its block of tiles through all passes.
    fn by_tiles(&self, workspace: &mut [f32]) {
        let (c, g) = (self.convolution, &self.convolution.geometry);
        let (weights, scratch) = self.all_weights(workspace);
        let workers = Workers::new(scratch, c.source_len() + c.products_len());
        self.pool.run(g.tiles().div_ceil(c.tiles), &|task, worker| {
            let tiles = task * c.tiles..((task + 1) * c.tiles).min(g.tiles());
            // SAFETY: a worker runs one task at a time.
            let (source, products) = unsafe { workers.scratch(worker) }.split_at_mut(c.source_len());
            let job = self.gather(tiles.clone(), source.as_mut_ptr());
            // SAFETY: the level was asserted; the scratch is this worker's and has room for a block.
            unsafe { (c.kernels.gather)(&job) }
            let step = c.products().place_step;
            for panel in 0..c.panels {
                for place in 0..g.places() {
                    let products = &mut products[place * step..];
                    self.multiply(place, [panel, tiles.len()], 0..g.depth, source, weights, products);
                }
                // SAFETY: every task has its own tiles.
                unsafe { self.scatter(products, tiles.clone(), panel) }
            }
        });
    }

    /// Every task takes its panel through all passes.
    fn by_panels(&self, workspace: &mut [f32]) {
        let (c, g) = (self.convolution, &self.convolution.geometry);
        let (source, scratch) = workspace.split_at_mut(c.source_len());
        self.gather_group(0..c.tiles, source);
        let source = &*source;
        let workers = Workers::new(scratch, c.weights_len() + c.products_len());
        self.pool.run(c.all_panels(), &|panel, worker| {
            // SAFETY: a worker runs one task at a time.
            let (weights, products) = unsafe { workers.scratch(worker) }.split_at_mut(c.weights_len());
            let step = c.products().place_step;
            for channels in parts(g.depth, c.channels) {
                let job = c.pack(self.tensors.weights, panel, channels.clone(), weights.as_mut_ptr());
                // SAFETY: the level was asserted; the scratch is this worker's and has room for a panel's channels.
                unsafe { (c.kernels.pack)(&job) }
                for place in 0..g.places() {
                    let products = &mut products[place * step..];
                    self.multiply(place, [0, c.tiles], channels.clone(), source, weights, products);
                }
            }
            // SAFETY: every task has its own columns.
            unsafe { self.scatter(products, 0..c.tiles, panel) }
        });
    }

    /// Every pass is done by all threads before the next one.
    fn by_passes(&self, workspace: &mut [f32]) {
        let c = self.convolution;
        if c.has_all_weights() {
            // They serve all groups of tiles.
            let (weights, rest) = self.all_weights(workspace);
            let (source, rest) = rest.split_at_mut(c.source_len());
            let products = &mut rest[..c.products_len()];
            for tiles in parts(c.geometry.tiles(), c.tiles) {
                self.gather_group(tiles.clone(), source);
                self.multiply_and_scatter(tiles, 0..c.panels, source, weights, products);
            }
            return;
        }
        let (weights, rest) = workspace.split_at_mut(c.weights_len());
        let (source, rest) = rest.split_at_mut(c.source_len());
        let products = &mut rest[..c.products_len()];
        for tiles in parts(c.geometry.tiles(), c.tiles) {
            self.gather_group(tiles.clone(), source);
            for panels in parts(c.all_panels(), c.panels) {
                c.pack_group(self.pool, self.tensors.weights, panels.clone(), weights);
                self.multiply_and_scatter(tiles.clone(), panels, source, weights, products);
            }
        }
    }

    /// The transformed weights of all panels, made at the front of the workspace unless they were kept; and the rest.
    fn all_weights<'w>(&'w self, workspace: &'w mut [f32]) -> (&'w [f32], &'w mut [f32]) {
        let c = self.convolution;
        match self.tensors.weights {
            Weights::Kept(weights) => (weights, workspace),
            from => {
                let (weights, rest) = workspace.split_at_mut(c.weights_len());
                c.pack_group(self.pool, from, 0..c.panels, weights);
                (weights, rest)
            }
        }
    }

    /// The job that transforms tiles of the source.
    fn gather(&self, tiles: Range<usize>, to: *mut f32) -> Gather<'_> {
        let c = self.convolution;
        let (geometry, layout) = (&c.geometry, c.source());
        Gather {
            geometry,
            view: geometry.source_view(),
            from: self.tensors.source,
            zeros: self.zeros,
            tiles,
            to,
            layout,
        }
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
        let (left, right) = (self.convolution.source(), self.convolution.weights());
        let mut product = Product {
            a: &source[place * left.place_step + left.at(0, channels.start)..],
            term_step: 1,
            part_step: left.chunk_step,
            rows: tiles,
            depth: channels.len(),
            b: &weights[place * right.place_step + panel * right.chunk_step..],
            c: products,
            accumulate: channels.start > 0,
        };
        // SAFETY: the level was asserted.
        unsafe { (self.convolution.kernels.multiply)(&mut product) }
    }

    /// # Safety
    /// Nobody else touches these tiles and columns of the target.
    unsafe fn scatter(&self, from: &[f32], tiles: Range<usize>, panel: usize) {
        let c = self.convolution;
        let job = Scatter {
            geometry: &c.geometry,
            from,
            layout: c.products(),
            tiles: tiles.clone(),
            columns: c.columns(panel),
            epilogue: self.tensors.epilogue,
            to: Outputs::of(&self.target),
        };
        // SAFETY: the level was asserted; the target by the caller's promise.
        unsafe { (c.kernels.scatter)(&job) }
        if let Some(activation) = self.late {
            // SAFETY: as above.
            unsafe { self.activate(activation, tiles, c.columns(panel)) }
        }
    }

    /// # Safety
    /// Nobody else touches these tiles and columns of the target.
    unsafe fn activate(&self, activation: InPlace<'_>, tiles: Range<usize>, columns: Range<usize>) {
        let Target::F32(target) = &self.target else { unreachable!("late activations go with f32") };
        let g = &self.convolution.geometry;
        let [height, width] = g.target;
        for (picture, [top, left]) in tiles.map(|tile| g.first_output(tile)) {
            for y in top..(top + g.sizes.outputs).min(height) {
                for x in left..(left + g.sizes.outputs).min(width) {
                    let first = ((picture * height + y) * width + x) * g.columns + columns.start;
                    // SAFETY: by the caller's promise.
                    activation.apply(unsafe { target.slice(first, columns.len()) });
                }
            }
        }
    }

    fn gather_group(&self, tiles: Range<usize>, source: &mut [f32]) {
        let (c, part) = (self.convolution, tiles.len().div_ceil(TASKS));
        let to = Disjoint::new(source);
        self.pool.run(tiles.len().div_ceil(part), &|task, _| {
            let first = task * part;
            let mine = tiles.start + first..(tiles.start + first + part).min(tiles.end);
            let to = to.pointer(c.source().at(first, 0)..c.source_len());
            let job = self.gather(mine, to);
            // SAFETY: the level was asserted; every task has its own tiles, for which there is room.
            unsafe { (c.kernels.gather)(&job) }
        });
    }

    /// The last two passes of a group of tiles and panels.
    fn multiply_and_scatter(
        &self,
        tiles: Range<usize>,
        panels: Range<usize>,
        source: &[f32],
        weights: &[f32],
        products: &mut [f32],
    ) {
        self.multiply_group(source, weights, [tiles.len(), panels.len()], products);
        self.scatter_group(products, tiles, panels);
    }

    fn multiply_group(&self, source: &[f32], weights: &[f32], [tiles, panels]: [usize; 2], products: &mut [f32]) {
        let (g, layout) = (&self.convolution.geometry, self.convolution.products());
        let part = even(panels, panels * g.places() / TASKS);
        let panel_parts = panels.div_ceil(part);
        let products = Disjoint::new(products);
        self.pool.run(g.places() * panel_parts, &|task, _| {
            let place = task / panel_parts;
            let first = task % panel_parts * part;
            for panel in first..(first + part).min(panels) {
                let at = place * layout.place_step + panel * layout.chunk_step;
                // SAFETY: every task has its own places and panels.
                let products = unsafe { products.slice(at, layout.chunk_step) };
                self.multiply(place, [panel, tiles], 0..g.depth, source, weights, products);
            }
        });
    }

    fn scatter_group(&self, products: &[f32], tiles: Range<usize>, panels: Range<usize>) {
        let layout = self.convolution.products();
        let part = even(tiles.len(), (tiles.len() * panels.len()).div_ceil(TASKS));
        let tile_parts = tiles.len().div_ceil(part);
        self.pool.run(tile_parts * panels.len(), &|task, _| {
            // Panels side by side: the columns of a pixel lie next to each other.
            let (first, panel) = (task / panels.len() * part, task % panels.len());
            let mine = tiles.start + first..(tiles.start + first + part).min(tiles.end);
            let from = &products[layout.at(first, panel * layout.chunk)..];
            // SAFETY: every task has its own tiles and columns.
            unsafe { self.scatter(from, mine, panels.start + panel) }
        });
    }
}
