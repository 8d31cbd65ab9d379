//! From a tensor to transformed tiles, and from sums of products to a tensor.

use std::ops::Range;

use super::geometry::{Geometry, LINE, Layout, View};
use super::points::MOST;
use super::transform::{self, Filtering, Put, Transform, both_axes};
use crate::conv2d::Epilogue;
use crate::floats::{Bf16, Element, Floats, Target};
use crate::simd::{Vector, prefetch_for_write, read};

/// Transforms tiles of a tensor.
pub(super) struct Gather<'g> {
    pub(super) geometry: &'g Geometry,
    pub(super) view: View,
    pub(super) from: Floats<'g>,
    /// As many zeros as a pixel has channels: what is read outside the tensor, of either type.
    pub(super) zeros: &'g [f32],
    pub(super) tiles: Range<usize>,
    /// Where the first of these tiles goes, at the first place.
    pub(super) to: *mut f32,
    pub(super) layout: Layout,
}

/// # Safety
/// The machine has the level of `V`. `to` is good for the layout's rows of these tiles at all places, and nobody else
/// touches them.
#[inline(always)]
pub(super) unsafe fn gather<V: Vector, T: Transform>(job: &Gather<'_>) {
    // SAFETY: by the caller's promise.
    unsafe {
        match job.from {
            Floats::F32(from) => gather_from::<V, T, f32>(job, from),
            Floats::Bf16(from) => gather_from::<V, T, Bf16>(job, from),
        }
    }
}

/// # Safety
/// As for [`gather`].
#[inline(always)]
unsafe fn gather_from<V: Vector, T: Transform, E: Element>(job: &Gather<'_>, from: &[E]) {
    assert!(job.zeros.len() >= job.view.channels, "zeros for every channel of a pixel");
    let whole = job.view.channels / V::LANES * V::LANES;
    for (row, tile) in job.tiles.clone().enumerate() {
        let window = window::<T, E>(job, from, tile);
        for channel in (0..whole).step_by(V::LANES) {
            // SAFETY: the channels of a pixel; the rest by the caller's promise.
            unsafe { gather_channels::<V, T, E>(job, &window, row, channel) }
        }
        for channel in whole..job.view.channels {
            // SAFETY: as above.
            unsafe { gather_channels::<f32, T, E>(job, &window, row, channel) }
        }
    }
}

/// Where each pixel of a tile's window starts. Made once for all channels: then no tile is special, though at small
/// pictures most of them reach over the border.
#[inline(always)]
fn window<T: Transform, E: Element>(job: &Gather<'_>, from: &[E], tile: usize) -> [[*const E; MOST]; MOST] {
    let (picture, at) = job.geometry.place_of(tile);
    let mut window = [[job.zeros.as_ptr().cast(); MOST]; MOST];
    for (i, row) in window.iter_mut().enumerate().take(T::COLUMNS) {
        for (j, pixel) in row.iter_mut().enumerate().take(T::COLUMNS) {
            if let Some(start) = job.view.pixel(picture, at, [i, j]) {
                *pixel = from[start..start + job.view.channels].as_ptr();
            }
        }
    }
    window
}

/// # Safety
/// As for [`gather`]; the pixels have the channels.
#[inline(always)]
unsafe fn gather_channels<V: Vector, T: Transform, E: Element>(
    job: &Gather<'_>,
    window: &[[*const E; MOST]; MOST],
    row: usize,
    channel: usize,
) {
    let to = job.to.wrapping_add(job.layout.at(row, channel));
    if job.layout.is_far() {
        prefetch_line::<T>(to, &job.layout);
    }
    // SAFETY: every pixel of the window starts a slice of all channels, every place of the target is the caller's.
    unsafe {
        both_axes::<V, T>(
            |i, j| V::load_as(window[i][j].add(channel)),
            |i, j, v: V| v.store(to.wrapping_add((i * T::ROWS + j) * job.layout.place_step)),
        );
    }
}

/// Asks for the next line of every place of the transformed tile.
#[inline(always)]
fn prefetch_line<T: Transform>(to: *mut f32, layout: &Layout) {
    if (to as usize).is_multiple_of(4 * LINE) {
        for place in 0..T::ROWS * T::ROWS {
            prefetch_for_write(to.wrapping_add(place * layout.place_step + LINE));
        }
    }
}

/// Transforms sums of products into outputs: one panel of columns.
pub(super) struct Scatter<'s> {
    pub(super) geometry: &'s Geometry,
    /// Products of these tiles in the layout, from the panel's first place on.
    pub(super) from: &'s [f32],
    pub(super) layout: Layout,
    pub(super) tiles: Range<usize>,
    /// Columns of the panel.
    pub(super) columns: Range<usize>,
    pub(super) epilogue: Epilogue<'s>,
    pub(super) to: Outputs,
}

/// A whole target, and how many numbers it has.
#[derive(Clone, Copy)]
pub(super) enum Outputs {
    F32(*mut f32, usize),
    Bf16(*mut Bf16, usize),
}

impl Outputs {
    pub(super) fn of(target: &Target<'_>) -> Self {
        match target {
            Target::F32(target) => Self::F32(target.pointer(0..target.len()), target.len()),
            Target::Bf16(target) => Self::Bf16(target.pointer(0..target.len()), target.len()),
        }
    }
}

/// # Safety
/// The machine has the level of `V`; nobody else touches these columns of the tiles in the target.
#[inline(always)]
pub(super) unsafe fn scatter<V: Vector, F: Filtering>(job: &Scatter<'_>) {
    // SAFETY: by the caller's promise.
    unsafe {
        match job.to {
            Outputs::F32(to, len) => scatter_to::<V, f32, F>(job, to, len),
            Outputs::Bf16(to, len) => scatter_to::<V, Bf16, F>(job, to, len),
        }
    }
}

/// # Safety
/// As for [`scatter`].
#[inline(always)]
unsafe fn scatter_to<V: Vector, E: Element, F: Filtering>(job: &Scatter<'_>, to: *mut E, len: usize) {
    let (g, layout) = (job.geometry, &job.layout);
    let [height, width] = g.target;
    let last = (g.places() - 1) * layout.place_step + layout.at(job.tiles.len() - 1, job.columns.len() - 1);
    assert!(last < job.from.len() && len == g.batch * height * width * g.columns, "products or target too short");
    assert!(job.columns.end <= g.columns && job.tiles.end <= g.tiles(), "columns or tiles that do not exist");
    let whole = job.columns.len() / V::LANES * V::LANES;
    for (row, tile) in job.tiles.clone().enumerate() {
        for lane in (0..whole).step_by(V::LANES) {
            // SAFETY: tile, row and columns exist, as was asserted; the rest by the caller's promise.
            unsafe { scatter_columns::<V, E, F>(job, to, tile, row, lane) }
        }
        for lane in whole..job.columns.len() {
            // SAFETY: as above.
            unsafe { scatter_columns::<f32, E, F>(job, to, tile, row, lane) }
        }
    }
}

/// # Safety
/// As for [`scatter`]; the tile, row and columns exist.
#[inline(always)]
unsafe fn scatter_columns<V: Vector, E: Element, F: Filtering>(
    job: &Scatter<'_>,
    to: *mut E,
    tile: usize,
    row: usize,
    lane: usize,
) {
    let g = job.geometry;
    let (picture, [top, left]) = g.first_output(tile);
    let [height, width] = g.target;
    let column = job.columns.start + lane;
    let from = job.from[job.layout.at(row, lane)..].as_ptr();
    // SAFETY: the furthest product and the target's size were asserted; outputs outside the picture are not stored.
    unsafe {
        let outputs = StoreOutputs {
            job,
            to,
            bias: job.epilogue.bias.map_or(V::splat(0.0), |bias| read(bias, column)),
            rows: height - top,
            columns: width - left,
            first: ((picture * height + top) * width + left) * g.columns + column,
        };
        both_axes::<V, transform::Outputs<F>>(
            |i, j| V::load(from.add((i * F::ALGORITHM.sizes.places + j) * job.layout.place_step)),
            outputs,
        );
    }
}

/// Stores the outputs of a tile that lie in the picture. Made only where the machine has the level of `V`, and the tile's
/// place in the target is the maker's.
struct StoreOutputs<'s, V, E> {
    job: &'s Scatter<'s>,
    to: *mut E,
    bias: V,
    /// Of the picture from the tile's first output on.
    rows: usize,
    columns: usize,
    first: usize,
}

impl<V: Vector, E: Element> Put<V> for StoreOutputs<'_, V, E> {
    #[inline(always)]
    unsafe fn put(&mut self, i: usize, j: usize, v: V) {
        if i >= self.rows || j >= self.columns {
            return;
        }
        let epilogue = &self.job.epilogue;
        let at = self.first + (i * self.job.geometry.target[1] + j) * self.job.geometry.columns;
        // SAFETY: the level by the caller's promise, the place by the maker's.
        unsafe {
            let mut v = v.add(self.bias);
            if let Some(residual) = epilogue.residual {
                v = v.add(read(residual, at));
            }
            if let Some(ceiling) = epilogue.ceiling() {
                v = v.relu().at_most(V::splat(ceiling));
            }
            v.store_as(self.to.add(at));
        }
    }
}
