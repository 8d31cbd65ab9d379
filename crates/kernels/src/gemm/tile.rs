//! The algorithm of every level: tiles of sums kept in registers.

use super::{LINE, Left, Places, Product, Store};
use crate::simd::{Vector, prefetch, prefetch_for_write, read};

/// What a word of both factors is.
pub(crate) trait Factors {
    /// `left * right + sum`.
    ///
    /// # Safety
    /// The machine has the level of `V`, and for pairs the instruction.
    unsafe fn mul_add<V: Vector>(left: V, right: V, sum: V) -> V;
}

/// A number.
pub(crate) struct Numbers;

impl Factors for Numbers {
    #[inline(always)]
    unsafe fn mul_add<V: Vector>(left: V, right: V, sum: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { left.mul_add(right, sum) }
    }
}

/// Two numbers of 16 bits, side by side in the depth.
pub(crate) struct Pairs;

impl Factors for Pairs {
    #[inline(always)]
    unsafe fn mul_add<V: Vector>(left: V, right: V, sum: V) -> V {
        // SAFETY: by the caller's promise.
        unsafe { left.mul_add_pairs(right, sum) }
    }
}

/// Multiplies the `M` rows from `first` on by the first `N` vectors of the panel, which are all that it has.
///
/// # Safety
/// The machine has the level of `V`, the caller its features; the product was checked and has these rows; its part of
/// `c` is the caller's.
#[inline(always)]
pub(super) unsafe fn multiply<V: Vector, F: Factors, const M: usize, const N: usize>(
    product: &Product<'_>,
    first: usize,
) {
    let mut results = places_from(product.c_rows, first);
    results.iter_mut().for_each(|result| *result += product.c_column);
    ask_for_results::<V, M, N>(product, &results);
    let panel = Panel { row: product.panel.as_ptr(), step: product.width };
    // SAFETY: the product was checked, so every row stays inside the left factor, and the panel is as long as the depth;
    // level and features by the caller's promise.
    let sums: [[V; N]; M] = unsafe {
        match product.left {
            Left::Rows { numbers, rows: starts, segments, run } => {
                let rows = places_from(starts, first).map(|start| numbers.as_ptr().wrapping_add(start));
                match run {
                    1 => sum_list::<V, F, M, N>(&rows, segments, panel),
                    run => sum_runs::<V, F, M, N>(&rows, segments, run, panel),
                }
            }
            Left::Columns { numbers, first: start, places } => {
                sum_columns::<V, F, M, N>(numbers.as_ptr().wrapping_add(start + first), places.places, panel)
            }
        }
    };
    // SAFETY: as for this function.
    unsafe {
        if product.columns == N * V::LANES {
            store_whole(product, &results, sums);
        } else {
            store_part(product, &results, sums);
        }
    }
}

/// A row of a panel, and how far it is to the next.
#[derive(Clone, Copy)]
struct Panel {
    row: *const f32,
    step: usize,
}

/// The places of the `M` rows from `first` on.
#[inline(always)]
fn places_from<const M: usize>(places: Places<'_>, first: usize) -> [usize; M] {
    *places.places[first..].first_chunk().expect("a tile's rows exist")
}

/// Asks for what the tile's end reads and writes: its sums take about as long as memory does.
#[inline(always)]
fn ask_for_results<V: Vector, const M: usize, const N: usize>(product: &Product<'_>, results: &[usize; M]) {
    if let Some(residual) = product.store.residual {
        results.iter().for_each(|&result| prefetch(residual.as_ptr().wrapping_add(result)));
    }
    if !product.store.accumulate {
        let c = product.c.pointer(0..product.c.len());
        for &result in results {
            for line in 0..(N * V::LANES).div_ceil(LINE) {
                prefetch_for_write(c.wrapping_add(result + line * LINE));
            }
        }
    }
}

/// The sums of a tile whose segments are long: a loop over each.
#[inline(always)]
unsafe fn sum_runs<V: Vector, F: Factors, const M: usize, const N: usize>(
    rows: &[*const f32; M],
    segments: &[usize],
    run: usize,
    mut panel: Panel,
) -> [[V; N]; M] {
    // SAFETY: see `multiply`: it vouches for all that is read here.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        for &segment in segments {
            for at in segment..segment + run {
                add_row_products::<V, F, M, N>(rows, at, panel.row, &mut sums);
                panel.row = panel.row.wrapping_add(panel.step);
            }
        }
        sums
    }
}

/// The sums of a tile whose segments are single numbers: one loop over the list. As runs of 1 they would take twice the
/// time, for between two runs the compiler brings the sums to memory.
#[inline(always)]
unsafe fn sum_list<V: Vector, F: Factors, const M: usize, const N: usize>(
    rows: &[*const f32; M],
    list: &[usize],
    mut panel: Panel,
) -> [[V; N]; M] {
    // SAFETY: see `multiply`: it vouches for all that is read here.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        for &at in list {
            add_row_products::<V, F, M, N>(rows, at, panel.row, &mut sums);
            panel.row = panel.row.wrapping_add(panel.step);
        }
        sums
    }
}

/// One step of rows that lie anywhere.
///
/// # Safety
/// As for [`add_products`], for a number of each row.
#[inline(always)]
unsafe fn add_row_products<V: Vector, F: Factors, const M: usize, const N: usize>(
    rows: &[*const f32; M],
    at: usize,
    panel: *const f32,
    sums: &mut [[V; N]; M],
) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut right = [V::splat(0.0); N];
        for (n, right) in right.iter_mut().enumerate() {
            *right = V::load(panel.add(n * V::LANES));
        }
        for m in 0..M {
            let left = V::splat(*rows[m].add(at));
            for n in 0..N {
                sums[m][n] = F::mul_add(left, right[n], sums[m][n]);
            }
        }
    }
}

/// The sums of a tile whose rows lie side by side.
#[inline(always)]
unsafe fn sum_columns<V: Vector, F: Factors, const M: usize, const N: usize>(
    left: *const f32,
    places: &[usize],
    mut panel: Panel,
) -> [[V; N]; M] {
    // SAFETY: see `multiply`: it vouches for all that is read here.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        for &place in places {
            add_products::<V, F, M, N, 1>(left.wrapping_add(place), panel.row, &mut sums);
            panel.row = panel.row.wrapping_add(panel.step);
        }
        sums
    }
}

/// One step: `N` loads and `M` broadcasts feed `M · N` multiply-adds.
///
/// # Safety
/// The machine has the level of `V`; there are `N` vectors at `panel` and `M` numbers at `left`, `STEP` apart.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators over the sums keep them in memory")]
pub(crate) unsafe fn add_products<V: Vector, F: Factors, const M: usize, const N: usize, const STEP: usize>(
    left: *const f32,
    panel: *const f32,
    sums: &mut [[V; N]; M],
) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut right = [V::splat(0.0); N];
        for (n, right) in right.iter_mut().enumerate() {
            *right = V::load(panel.add(n * V::LANES));
        }
        for m in 0..M {
            let left = V::splat(*left.add(m * STEP));
            for n in 0..N {
                sums[m][n] = F::mul_add(left, right[n], sums[m][n]);
            }
        }
    }
}

/// Stores a tile whose columns all exist. Every option is asked about once a tile, not once a vector: with short
/// depths a tile's end weighs as much as its sums.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators over the sums keep them in memory")]
unsafe fn store_whole<V: Vector, const M: usize, const N: usize>(
    product: &Product<'_>,
    at: &[usize; M],
    mut sums: [[V; N]; M],
) {
    let Store { accumulate, bias, residual, ceiling } = product.store;
    let c = product.c.pointer(0..product.c.len());
    // SAFETY: the level by the caller's promise; all rows and columns of c, the bias and the residual were checked to
    // exist; nobody else has this part of c, by the caller's promise.
    unsafe {
        if accumulate {
            for m in 0..M {
                for n in 0..N {
                    sums[m][n] = V::load(c.add(at[m] + n * V::LANES)).add(sums[m][n]);
                }
            }
        }
        if let Some(bias) = bias {
            for n in 0..N {
                let bias: V = read(bias, n * V::LANES);
                for m in 0..M {
                    sums[m][n] = sums[m][n].add(bias);
                }
            }
        }
        if let Some(residual) = residual {
            for m in 0..M {
                for n in 0..N {
                    sums[m][n] = sums[m][n].add(V::load(residual.as_ptr().add(at[m] + n * V::LANES)));
                }
            }
        }
        for m in 0..M {
            for n in 0..N {
                let sum = match ceiling {
                    Some(ceiling) => sums[m][n].relu().at_most(V::splat(ceiling)),
                    None => sums[m][n],
                };
                sum.store(c.add(at[m] + n * V::LANES));
            }
        }
    }
}

/// Stores a tile whose last vector has columns that do not exist, in the same order of additions.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "iterators over the sums keep them in memory")]
unsafe fn store_part<V: Vector, const M: usize, const N: usize>(
    product: &Product<'_>,
    at: &[usize; M],
    sums: [[V; N]; M],
) {
    let last = product.columns - (N - 1) * V::LANES;
    for m in 0..M {
        for n in 0..N {
            let count = if n + 1 < N { V::LANES } else { last };
            // SAFETY: the level by the caller's promise; these columns exist.
            unsafe { store(product, at[m], n * V::LANES, sums[m][n], count) }
        }
    }
}

/// Stores the first numbers of a vector of a row of results that starts at a place.
///
/// # Safety
/// The machine has the level of `V`; the product was checked, and has these columns; its part of `c` is the caller's.
#[inline(always)]
unsafe fn store<V: Vector>(product: &Product<'_>, row: usize, column: usize, mut sum: V, count: usize) {
    let Store { accumulate, bias, residual, ceiling } = product.store;
    let c = product.c.pointer(0..product.c.len()).wrapping_add(row + column);
    // SAFETY: by the caller's promise.
    unsafe {
        if accumulate {
            sum = V::load_first(c, count).add(sum);
        }
        if let Some(bias) = bias {
            sum = sum.add(V::load_first(bias.as_ptr().add(column), count));
        }
        if let Some(residual) = residual {
            sum = sum.add(V::load_first(residual.as_ptr().add(row + column), count));
        }
        if let Some(ceiling) = ceiling {
            sum = sum.relu().at_most(V::splat(ceiling));
        }
        sum.store_first(c, count);
    }
}
