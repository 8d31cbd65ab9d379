//! A row of dy added to the gradient of the weight: tiles of some columns of dy stay in registers while rows of x go by.
//!
//! The sums of a tile start from zero and are then added to what memory holds, so that a sum of many products is one of
//! partial sums and loses fewer digits.

use std::ops::Range;

use super::geometry::{Rows, all, columns, for_each_column, inside, tap};
use crate::simd::{Vector, prefetch};

/// A row of dy, and the x it met.
pub(super) struct GradWeightRow<'r> {
    /// A picture of x, of whole rows of `width` pixels.
    pub(super) source: &'r [f32],
    pub(super) width: usize,
    pub(super) rows: Rows,
    /// Of the convolution, left.
    pub(super) padding: usize,
    pub(super) channels: usize,
    /// The channels to be summed.
    pub(super) block: Range<usize>,
    pub(super) dy: &'r [f32],
    /// Rows of pixels like the source's and dy's to ask memory for meanwhile; if there are none, the next of both.
    pub(super) next: Option<[*const f32; 2]>,
    /// `[kernel height][kernel width][channels]`, of which only the block's channels are touched.
    pub(super) sums: *mut f32,
    pub(super) kernel_height: usize,
}

/// Adds a row with kernels of width `K` and stride `S`, `T` columns at once.
///
/// # Safety
/// The machine has the level of `V`; `sums` is good for the kernel's numbers, of which nobody else touches the block's.
#[inline(always)]
pub(super) unsafe fn row<V: Vector, const K: usize, const S: usize, const T: usize>(row: &GradWeightRow<'_>) {
    let whole = row.block.start + row.block.len() / V::LANES * V::LANES;
    let (vectors, rest) = (row.block.start..whole, whole..row.block.end);
    // SAFETY: by the caller's promise; single numbers need no level.
    unsafe {
        row_channels::<V, K, S, T>(row, vectors);
        row_channels::<f32, K, S, T>(row, rest);
    }
}

/// # Safety
/// As for [`row`].
#[inline(always)]
unsafe fn row_channels<V: Vector, const K: usize, const S: usize, const T: usize>(
    row: &GradWeightRow<'_>,
    channels: Range<usize>,
) {
    if channels.is_empty() {
        return;
    }
    let columns = const { columns::<K, S, T, false>() };
    let out_width = row.dy.len() / row.channels;
    for first in (0..out_width).step_by(T) {
        let source = (first * S) as isize - row.padding as isize;
        let (sources, targets) = (inside(source, columns, row.width), inside(first as isize, T, out_width));
        let tile = Tile { first, source, sources, targets };
        // SAFETY: by the caller's promise; the bits tell what lies inside, all in the first case.
        unsafe {
            if sources == all(columns) && targets == all(T) {
                tile_channels::<V, K, S, T, false>(row, &tile, channels.clone());
            } else {
                tile_channels::<V, K, S, T, true>(row, &tile, channels.clone());
            }
        }
    }
}

/// Columns from `first` on of dy, which meet columns from `source` on of x; bits tell which of them exist.
struct Tile {
    first: usize,
    source: isize,
    sources: u32,
    targets: u32,
}

/// # Safety
/// As for [`row`]; and all columns of the tile and its source exist, or it is at an `EDGE` and its bits tell which do.
#[inline(always)]
unsafe fn tile_channels<V: Vector, const K: usize, const S: usize, const T: usize, const EDGE: bool>(
    row: &GradWeightRow<'_>,
    tile: &Tile,
    channels: Range<usize>,
) {
    let (pitch, rows) = (row.channels, row.rows);
    assert!(channels.end <= pitch && rows.fit(row.source.len() / (row.width * pitch), row.kernel_height));
    // Pointers to what may lie outside, where nothing is read: so they wrap.
    let pixel = (rows.source * row.width) as isize + tile.source;
    let source = row.source.as_ptr().wrapping_offset(pixel * pitch as isize);
    let dy = row.dy.as_ptr().wrapping_add(tile.first * pitch);
    let [next_source, next_dy] = match row.next {
        Some([source, dy]) => {
            [source.wrapping_offset(tile.source * pitch as isize), dy.wrapping_add(tile.first * pitch)]
        }
        None => [source.wrapping_add(rows.count * row.width * pitch), dy.wrapping_add(row.dy.len())],
    };
    let to = row.sums.wrapping_add(rows.tap * K * pitch);
    for channel in channels.step_by(V::LANES) {
        // Once a cache line, what the next row of dy will want.
        if V::LANES > 1 && channel % 16 < V::LANES {
            for column in 0..T * S {
                prefetch(next_source.wrapping_add(column * pitch + channel));
            }
            for column in 0..T {
                prefetch(next_dy.wrapping_add(column * pitch + channel));
            }
        }
        let (mut source, mut to) = (source.wrapping_add(channel), to.wrapping_add(channel));
        // SAFETY: the level and the sums by the caller's promise. The rows and the channels were asserted to exist, and
        // the columns do by the bits or the caller's promise.
        unsafe {
            let mut gradients = [V::splat(0.0); T];
            for (target, gradient) in gradients.iter_mut().enumerate() {
                if !EDGE || tile.targets & (1 << target) != 0 {
                    *gradient = V::load(dy.wrapping_add(target * pitch + channel));
                }
            }
            for _ in 0..rows.count {
                let mut sums = [V::splat(0.0); K];
                for_each_column!(column < columns::<K, S, T, false>() => {
                    if !EDGE || tile.sources & (1 << column) != 0 {
                        let numbers = V::load(source.wrapping_add(column * pitch));
                        for (target, &gradient) in gradients.iter().enumerate() {
                            let tap = tap::<K, S, false>(column, target);
                            // Zero times what is not finite would not be zero.
                            if tap < K && (!EDGE || tile.targets & (1 << target) != 0) {
                                sums[tap] = numbers.mul_add(gradient, sums[tap]);
                            }
                        }
                    }
                });
                for (tap, sum) in sums.into_iter().enumerate() {
                    let to = to.wrapping_add(tap * pitch);
                    sum.add(V::load(to)).store(to);
                }
                source = source.wrapping_add(row.width * pitch);
                to = to.wrapping_add(K * pitch);
            }
        }
    }
}
