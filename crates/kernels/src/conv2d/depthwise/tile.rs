//! A row of y or dx: tiles of some columns, whose sums stay in registers while rows of the source go by.
//!
//! Of each row of the kernel its weights are in registers too, so that a number of the source is loaded once for all
//! columns it reaches. Tiles go along the row and vectors along the channels inside a tile, so that memory is walked in
//! its order.

use std::ops::Range;

use super::geometry::{Rows, all, columns, for_each_column, inside, tap};
use crate::simd::{Vector, prefetch, prefetch_for_write, read, write};

/// A row of the target, and what it is made from. All pixels have `channels` numbers.
pub(super) struct Row<'r> {
    /// A picture of whole rows of `width` pixels.
    pub(super) source: &'r [f32],
    pub(super) width: usize,
    pub(super) rows: Rows,
    /// `[kernel height][kernel width][channels]`.
    pub(super) weight: &'r [f32],
    /// Of the convolution, left.
    pub(super) padding: usize,
    pub(super) channels: usize,
    /// The channels to be computed.
    pub(super) block: Range<usize>,
    pub(super) bias: Option<&'r [f32]>,
    /// The row of the residual.
    pub(super) residual: Option<&'r [f32]>,
    pub(super) ceiling: Option<f32>,
    pub(super) target: &'r mut [f32],
    /// A row of pixels like the source's to ask memory for meanwhile; if there is none, the source's next.
    pub(super) next: Option<*const f32>,
}

/// Computes a row with kernels of width `K` and stride `S`, `T` columns at once.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
pub(super) unsafe fn row<V: Vector, const K: usize, const S: usize, const T: usize, const TRANSPOSED: bool>(
    row: &mut Row<'_>,
) {
    let whole = row.block.start + row.block.len() / V::LANES * V::LANES;
    let (vectors, rest) = (row.block.start..whole, whole..row.block.end);
    // SAFETY: the level by the caller's promise; single numbers need none.
    unsafe {
        row_channels::<V, K, S, T, TRANSPOSED>(row, vectors);
        row_channels::<f32, K, S, T, TRANSPOSED>(row, rest);
    }
}

/// # Safety
/// As for [`row`].
#[inline(always)]
unsafe fn row_channels<V: Vector, const K: usize, const S: usize, const T: usize, const TRANSPOSED: bool>(
    row: &mut Row<'_>,
    channels: Range<usize>,
) {
    if channels.is_empty() {
        return;
    }
    let columns = const { columns::<K, S, T, TRANSPOSED>() };
    let (stride, padding) = (S as isize, row.padding as isize);
    let target_width = row.target.len() / row.channels;
    // Transposed, tiles start where a first tap does.
    let mut first = if TRANSPOSED { -(padding % stride) } else { 0 };
    while first < target_width as isize {
        let source =
            if TRANSPOSED { (first + padding) / stride - (K as isize - 1) / stride } else { first * stride - padding };
        let (sources, targets) = (inside(source, columns, row.width), inside(first, T, target_width));
        let tile = Tile { first, source, sources, targets };
        // SAFETY: the level by the caller's promise; the bits tell what lies inside, all in the first case.
        unsafe {
            if sources == all(columns) && targets == all(T) {
                tile_channels::<V, K, S, T, TRANSPOSED, false>(row, &tile, channels.clone());
            } else {
                tile_channels::<V, K, S, T, TRANSPOSED, true>(row, &tile, channels.clone());
            }
        }
        first += T as isize;
    }
}

/// Columns from `first` on of the target, made from columns from `source` on; bits tell which of them exist.
struct Tile {
    first: isize,
    source: isize,
    sources: u32,
    targets: u32,
}

/// # Safety
/// As for [`row`]; and all columns of the tile and its source exist, or it is at an `EDGE` and its bits tell which do.
#[inline(always)]
unsafe fn tile_channels<
    V: Vector,
    const K: usize,
    const S: usize,
    const T: usize,
    const TRANSPOSED: bool,
    const EDGE: bool,
>(
    row: &mut Row<'_>,
    tile: &Tile,
    channels: Range<usize>,
) {
    let (pitch, rows) = (row.channels, row.rows);
    assert!(channels.end <= pitch && rows.fit(row.source.len() / (row.width * pitch), row.weight.len() / (K * pitch)));
    // Pointers to what may lie outside, where nothing is read: so they wrap.
    let pixel = rows.source as isize * row.width as isize + tile.source;
    let source = row.source.as_ptr().wrapping_offset(pixel * pitch as isize);
    let source_step = rows.source_step * (row.width * pitch) as isize;
    let weight = row.weight.as_ptr().wrapping_add(rows.tap * K * pitch);
    let to = tile.first * pitch as isize;
    let ahead = Ahead::new(row, tile, S, T, TRANSPOSED);
    for channel in channels.step_by(V::LANES) {
        ahead.ask::<V>(channel);
        let (mut source, mut weight) = (source.wrapping_add(channel), weight.wrapping_add(channel));
        // SAFETY: the level by the caller's promise. The rows and the channels were asserted to exist, and the columns
        // do by the bits or the caller's promise.
        unsafe {
            let mut sums = [V::splat(0.0); T];
            for _ in 0..rows.count {
                let mut weights = [V::splat(0.0); K];
                for (tap, weights) in weights.iter_mut().enumerate() {
                    *weights = V::load(weight.wrapping_add(tap * pitch));
                }
                for_each_column!(column < columns::<K, S, T, TRANSPOSED>() => {
                    if !EDGE || tile.sources & (1 << column) != 0 {
                        let numbers = V::load(source.wrapping_add(column * pitch));
                        for (target, sum) in sums.iter_mut().enumerate() {
                            let tap = tap::<K, S, TRANSPOSED>(column, target);
                            if tap < K {
                                *sum = numbers.mul_add(weights[tap], *sum);
                            }
                        }
                    }
                });
                source = source.wrapping_offset(source_step);
                weight = weight.wrapping_add(rows.tap_step * K * pitch);
            }
            for (target, &sum) in sums.iter().enumerate() {
                if !EDGE || tile.targets & (1 << target) != 0 {
                    finish(row, sum, (to + (target * pitch) as isize) as usize + channel, channel);
                }
            }
        }
    }
}

/// What the next row of the target will want. So many streams side by side are more than machines foresee: without
/// asking, maps of 56 × 56 × 144 took twice as long.
struct Ahead {
    source: *const f32,
    sources: usize,
    target: *mut f32,
    targets: usize,
    pitch: usize,
}

impl Ahead {
    /// New columns of the row of the source below those in use, and the columns of the target below. Behind the last
    /// row of a picture comes the first of the next.
    #[inline(always)]
    fn new(row: &mut Row<'_>, tile: &Tile, stride: usize, columns: usize, transposed: bool) -> Self {
        let last = if row.rows.source_step > 0 { row.rows.source + row.rows.count } else { row.rows.source + 1 };
        let next = row.next.unwrap_or_else(|| row.source.as_ptr().wrapping_add(last * row.width * row.channels));
        let target = tile.first * row.channels as isize + row.target.len() as isize;
        Self {
            source: next.wrapping_offset(tile.source * row.channels as isize),
            sources: if transposed { columns / stride } else { columns * stride },
            target: row.target.as_mut_ptr().wrapping_offset(target),
            targets: columns,
            pitch: row.channels,
        }
    }

    #[inline(always)]
    fn ask<V: Vector>(&self, channel: usize) {
        // Once a cache line.
        if V::LANES == 1 || channel % 16 >= V::LANES {
            return;
        }
        for column in 0..self.sources {
            prefetch(self.source.wrapping_add(column * self.pitch + channel));
        }
        for column in 0..self.targets {
            prefetch_for_write(self.target.wrapping_add(column * self.pitch + channel));
        }
    }
}

/// Stores a sum after what is done to it on its way.
///
/// # Safety
/// As for [`row`].
#[inline(always)]
unsafe fn finish<V: Vector>(row: &mut Row<'_>, mut sum: V, to: usize, channel: usize) {
    // SAFETY: the level by the caller's promise.
    unsafe {
        if let Some(bias) = row.bias {
            sum = sum.add(read(bias, channel));
        }
        if let Some(residual) = row.residual {
            sum = sum.add(read(residual, to));
        }
        if let Some(ceiling) = row.ceiling {
            sum = sum.relu().at_most(V::splat(ceiling));
        }
        write(sum, row.target, to);
    }
}
