//! How a convolution's work is cut: tiles of the source times transformed weights.
//!
//! Three orders of the same passes, by what fits the second cache.
//!
//! - *Tiles*, where enough tiles of all channels fit: the transformed weights of all panels are made first; then every task
//!   takes a block of tiles through all passes. Weights that are not small are read from the third cache for every block.
//! - *Panels*, for few tiles and many channels, whose transformed weights would be tens of MiB: all tiles are transformed
//!   first; then every task takes a panel of weights, some channels at a time, through all passes.
//! - *Passes*, for what is between: each pass is done for a group of tiles and panels by all threads before the next
//!   one, the transforms lying in the third cache.

use std::ops::Range;

use super::geometry::{Geometry, LINE, Layout};
use super::level::Kernels;
use super::product::ROWS_APART;
use crate::gemm::L2_BYTES;
use crate::workers::Workers;

/// Tiles of a block at most; fewer than the least, or half of it for small weights, are not worth the traffic of weights.
const MOST_TILES: usize = 48;
const LEAST_TILES: usize = 12;
/// Numbers of transformed weights that are small: about what the second cache of a large core holds.
const SMALL_WEIGHTS: usize = L2_BYTES / 2;
/// Numbers of transformed weights that every block can read from the third cache, whatever its neighbours do with it.
const MOST_WEIGHTS: usize = 5 << 19;
/// Blocks that are worth it where transformed weights are not small: each reads them all, and fewer would
/// leave threads without work.
const LEAST_BLOCKS: usize = 8;
/// Numbers of a panel's products in the order of panels, at most, and of its transformed weights at once.
const PANEL_PRODUCTS: usize = L2_BYTES / 4 * 8 / 16;
const PANEL_WEIGHTS: usize = L2_BYTES / 4 * 6 / 16;
/// Panels that are worth an order of their own: fewer would leave threads without work.
const LEAST_PANELS: usize = 16;
/// Numbers of a group in the order of passes: transformed weights, and transformed tiles where all weights are one group.
const GROUP: usize = 2 << 20;
/// Numbers of a group's transformed tiles where the weights are several groups, which are made again for every group
/// of tiles.
const LARGE_GROUP: usize = 2 * GROUP;
/// A pass is cut into about so many tasks.
pub(super) const TASKS: usize = 64;

/// The order of the passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Tiles,
    Panels,
    Passes,
}

/// How the work is done, fixed by the shape. Holds the kernels of a level that the machine has.
pub(super) struct Convolution {
    pub(super) geometry: Geometry,
    pub(super) kernels: &'static Kernels,
    pub(super) order: Order,
    /// Tiles whose transforms exist at the same time: of a block, a group, or all.
    pub(super) tiles: usize,
    /// Panels whose weights exist at the same time, and how many channels of the source they have.
    pub(super) panels: usize,
    pub(super) channels: usize,
}

impl Convolution {
    pub(super) fn new(geometry: Geometry, kernels: &'static Kernels) -> Self {
        let g = &geometry;
        let (all_tiles, all_panels) = (g.tiles(), g.columns.div_ceil(kernels.columns));
        let tile = g.places() * g.depth.next_multiple_of(ROWS_APART);
        let panel_row = g.places() * kernels.columns;
        let weights = all_panels * panel_row * g.depth;
        let are_weights_small = weights <= SMALL_WEIGHTS;
        // Larger blocks read weights less often; small ones cost nothing to read.
        let second_cache = if are_weights_small { L2_BYTES } else { kernels.second_cache };
        let block = block_numbers(second_cache) / tile;
        let least = if are_weights_small { LEAST_TILES / 2 } else { LEAST_TILES };
        let tiles = even(all_tiles, block.min(MOST_TILES).min(all_tiles.div_ceil(TASKS / 4).max(least)));
        let is_worth = weights <= MOST_WEIGHTS && all_tiles.div_ceil(tiles) >= LEAST_BLOCKS;
        if block >= least && (are_weights_small || is_worth) {
            return Self { geometry, kernels, order: Order::Tiles, tiles, panels: all_panels, channels: g.depth };
        }
        if all_tiles * panel_row <= PANEL_PRODUCTS && all_panels >= LEAST_PANELS {
            let channels = (PANEL_WEIGHTS / panel_row / ROWS_APART * ROWS_APART).max(ROWS_APART).min(g.depth);
            return Self { geometry, kernels, order: Order::Panels, tiles: all_tiles, panels: 1, channels };
        }
        let panels = even(all_panels, GROUP / (panel_row * g.depth));
        let room = if panels == all_panels { GROUP } else { LARGE_GROUP };
        let tiles = even(all_tiles, (room / tile).max(kernels.rows));
        Self { geometry, kernels, order: Order::Passes, tiles, panels, channels: g.depth }
    }

    /// Whether all transformed weights exist at the same time: then they can be kept for the next run.
    pub(super) fn has_all_weights(&self) -> bool {
        self.order != Order::Panels && self.panels == self.all_panels()
    }

    /// How often the weights are transformed.
    pub(super) fn weight_groups(&self) -> usize {
        match self.order {
            Order::Passes if !self.has_all_weights() => self.geometry.tiles().div_ceil(self.tiles),
            _ => 1,
        }
    }

    /// Numbers of workspace, kept weights left out.
    pub(super) fn workspace(&self, threads: usize, keeps_weights: bool) -> usize {
        let weights = if keeps_weights { 0 } else { self.weights_len() };
        let [source, products] = [self.source_len(), self.products_len()];
        let transforms = match self.order {
            Order::Tiles => weights + Workers::len(threads, source + products),
            Order::Panels => source + Workers::len(threads, weights + products),
            Order::Passes => weights + source + products,
        };
        self.zeros_len() + transforms
    }

    pub(super) fn all_panels(&self) -> usize {
        self.geometry.columns.div_ceil(self.kernels.columns)
    }

    pub(super) fn zeros_len(&self) -> usize {
        self.geometry.depth.next_multiple_of(LINE)
    }

    /// Transformed source: rows are tiles, in chunks as the product reads them.
    pub(super) fn source(&self) -> Layout {
        Layout::panels(self.tiles, self.geometry.depth, ROWS_APART)
    }

    pub(super) fn source_len(&self) -> usize {
        self.source().len(self.geometry.places())
    }

    /// Transformed weights: rows are channels of the source.
    pub(super) fn weights(&self) -> Layout {
        Layout::panels(self.channels, self.panels * self.kernels.columns, self.kernels.columns)
    }

    pub(super) fn weights_len(&self) -> usize {
        self.weights().len(self.geometry.places())
    }

    /// Products: rows are tiles. Where a task does all passes, it does them panel by panel.
    pub(super) fn products(&self) -> Layout {
        let panels = if self.order == Order::Passes { self.panels } else { 1 };
        Layout::panels(self.tiles, panels * self.kernels.columns, self.kernels.columns)
    }

    pub(super) fn products_len(&self) -> usize {
        self.products().len(self.geometry.places())
    }

    /// Columns of the target that a panel has.
    pub(super) fn columns(&self, panel: usize) -> Range<usize> {
        let first = panel * self.kernels.columns;
        first..(first + self.kernels.columns).min(self.geometry.columns)
    }
}

/// Numbers of a block's transformed source in the order of tiles: some of the second cache is left for a panel of
/// products and one of weights.
const fn block_numbers(second_cache: usize) -> usize {
    second_cache / 4 * 5 / 8
}

/// Cuts `all` evenly into parts of at most `most`: the size of a part.
pub(super) fn even(all: usize, most: usize) -> usize {
    all.div_ceil(all.div_ceil(most.max(1)))
}

/// The parts of `0..all`.
pub(super) fn parts(all: usize, part: usize) -> impl Iterator<Item = Range<usize>> {
    (0..all).step_by(part).map(move |first| first..(first + part).min(all))
}
