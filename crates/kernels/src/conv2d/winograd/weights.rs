//! From weights to transformed panels, and from sums of products to the weights' gradient.

use std::ops::Range;

use super::geometry::{LINE, Layout};
use super::transform::{Filter, FilterGradient, Filtering, both_axes};
use crate::simd::{Vector, prefetch, prefetch_for_write};

const TAPS: usize = 9;
/// Rows that are copied at once, and columns of the widest panel.
const ROWS: usize = 8;
const WIDEST: usize = 32;

/// Transforms the weights of one panel.
pub(super) struct Pack<'p> {
    /// `[3][3][depth][columns]`, or turned round `[3][3][columns][depth]`, both axes of taps backwards.
    pub(super) weight: &'p [f32],
    pub(super) turned: bool,
    /// All channels of the source and the target.
    pub(super) depth: usize,
    pub(super) all_columns: usize,
    /// Columns of the panel, and the channels of the source that are transformed.
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
    /// Where the first of these rows goes, at the first place.
    pub(super) to: *mut f32,
    pub(super) layout: Layout,
}

/// # Safety
/// The machine has the level of `V`. `to` is good for these rows of the layout at all places, and nobody else touches
/// them.
#[inline(always)]
pub(super) unsafe fn pack<V: Vector, F: Filtering>(job: &Pack<'_>) {
    let (width, places) = (job.layout.row_step, F::ALGORITHM.sizes.places);
    assert!(width <= WIDEST && width.is_multiple_of(V::LANES) && job.columns.len() <= width, "no panel");
    assert!(job.weight.len() == TAPS * job.depth * job.all_columns, "weights of another shape");
    let mut copy = [[[0.0f32; WIDEST]; ROWS]; TAPS];
    for first in job.rows.clone().step_by(ROWS) {
        let rows = first..(first + ROWS).min(job.rows.end);
        if is_large(job.weight.len()) {
            ask_for(job, rows.end..(rows.end + ROWS).min(job.rows.end));
        }
        if job.turned {
            copy_turned(job, rows.clone(), &mut copy);
        } else {
            copy_straight(job, rows.clone(), &mut copy);
        }
        for row in rows.clone() {
            for lane in (0..width).step_by(V::LANES) {
                let to = job.to.wrapping_add((row - job.rows.start) * width + lane);
                if lane == 0 && job.layout.is_far() {
                    for place in 0..places * places {
                        prefetch_for_write(to.wrapping_add(place * job.layout.place_step + width));
                    }
                }
                // SAFETY: a row of the copy has the panel's width, at most `WIDEST`; the target is the caller's.
                unsafe {
                    both_axes::<V, Filter<F>>(
                        |i, j| V::load(copy[i * 3 + j][row - first].as_ptr().add(lane)),
                        |i, j, v: V| v.store(to.wrapping_add((i * places + j) * job.layout.place_step)),
                    );
                }
            }
        }
    }
}

/// Whether a weight of so many numbers comes from memory each time: all those of a network share the last cache.
pub(super) fn is_large(weight: usize) -> bool {
    weight > 1 << 20
}

/// Asks for the next rows: a panel has a cache line or two of each, far from each other.
#[inline(always)]
fn ask_for(job: &Pack<'_>, rows: Range<usize>) {
    let weight = job.weight.as_ptr();
    for tap in 0..TAPS {
        if job.turned {
            for column in job.columns.clone() {
                prefetch(weight.wrapping_add((tap * job.all_columns + column) * job.depth + rows.start));
            }
        } else {
            for row in rows.clone() {
                let at = (tap * job.depth + row) * job.all_columns;
                for column in job.columns.clone().step_by(LINE) {
                    prefetch(weight.wrapping_add(at + column));
                }
            }
        }
    }
}

#[inline(always)]
fn copy_straight(job: &Pack<'_>, rows: Range<usize>, copy: &mut [[[f32; WIDEST]; ROWS]; TAPS]) {
    for (tap, copy) in copy.iter_mut().enumerate() {
        for (row, to) in rows.clone().zip(copy) {
            let at = (tap * job.depth + row) * job.all_columns + job.columns.start;
            to[..job.columns.len()].copy_from_slice(&job.weight[at..at + job.columns.len()]);
        }
    }
}

#[inline(always)]
fn copy_turned(job: &Pack<'_>, rows: Range<usize>, copy: &mut [[[f32; WIDEST]; ROWS]; TAPS]) {
    for (tap, copy) in copy.iter_mut().enumerate() {
        for (lane, column) in job.columns.clone().enumerate() {
            let at = ((TAPS - 1 - tap) * job.all_columns + column) * job.depth + rows.start;
            for (to, &from) in copy.iter_mut().zip(&job.weight[at..at + rows.len()]) {
                to[lane] = from;
            }
        }
    }
}

/// Transforms sums of products back into the gradient of weights.
pub(super) struct Unpack<'u> {
    /// Sums of these rows in the layout, from the panel's first place on.
    pub(super) from: &'u [f32],
    pub(super) layout: Layout,
    /// All channels of input and output.
    pub(super) depth: usize,
    pub(super) all_columns: usize,
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
    /// The whole gradient, `[3][3][depth][columns]`, and how many numbers it has.
    pub(super) to: *mut f32,
    pub(super) len: usize,
}

/// # Safety
/// The machine has the level of `V`; nobody else touches these rows and columns of the gradient.
#[inline(always)]
pub(super) unsafe fn unpack<V: Vector, F: Filtering>(job: &Unpack<'_>) {
    let places = F::ALGORITHM.sizes.places;
    let last = (places * places - 1) * job.layout.place_step + job.layout.at(job.rows.len() - 1, job.columns.len() - 1);
    assert!(last < job.from.len() && job.len == TAPS * job.depth * job.all_columns, "sums or gradient too short");
    assert!(job.columns.end <= job.all_columns && job.rows.end <= job.depth, "rows or columns that do not exist");
    let whole = job.columns.len() / V::LANES * V::LANES;
    for row in job.rows.clone() {
        for lane in (0..whole).step_by(V::LANES) {
            // SAFETY: row and columns exist, as was asserted; the rest by the caller's promise.
            unsafe { unpack_columns::<V, F>(job, row, lane) }
        }
        for lane in whole..job.columns.len() {
            // SAFETY: as above.
            unsafe { unpack_columns::<f32, F>(job, row, lane) }
        }
    }
}

/// # Safety
/// As for [`unpack`]; row and columns exist.
#[inline(always)]
unsafe fn unpack_columns<V: Vector, F: Filtering>(job: &Unpack<'_>, row: usize, lane: usize) {
    let from = job.from[job.layout.at(row - job.rows.start, lane)..].as_ptr();
    let first = row * job.all_columns + job.columns.start + lane;
    // SAFETY: the furthest sum and the gradient's size were asserted.
    unsafe {
        both_axes::<V, FilterGradient<F>>(
            |i, j| V::load(from.add((i * F::ALGORITHM.sizes.places + j) * job.layout.place_step)),
            |r, s, v: V| v.store(job.to.add((r * 3 + s) * job.depth * job.all_columns + first)),
        );
    }
}
