//! The algorithm of every level: tiles of sums kept in registers.

use super::{Product, Store};
use crate::simd::{Vector, prefetch, read};

/// Numbers of the largest tile: 12 rows of two vectors of 16.
const MAX_TILE: usize = 12 * 32;

/// Multiplies the `M` rows from `first` on by the panel, which is exactly `N` vectors wide.
///
/// # Safety
/// The machine has the level of `V`, the caller its features; the product was checked and has these rows; its part of
/// `c` is the caller's.
#[inline(always)]
pub(super) unsafe fn multiply<V: Vector, const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    let mut rows = [product.a.as_ptr(); M];
    for (row, &offset) in rows.iter_mut().zip(&product.a_rows[first..first + M]) {
        *row = row.wrapping_add(offset);
    }
    ask_for_results::<M>(product, first);
    // SAFETY: the product was checked, so every row, segment and run stays inside `a`, and the panel is as long as the
    // depth; level and features by the caller's promise.
    let sums: [[V; N]; M] = unsafe {
        match product.run {
            1 => sum_list(&rows, product.segments, product.panel.as_ptr()),
            run => sum_runs(&rows, product.segments, run, product.panel.as_ptr()),
        }
    };
    // SAFETY: as for this function.
    unsafe {
        if product.columns == N * V::LANES {
            store_whole(product, first, sums);
        } else {
            store_part(product, first, sums);
        }
    }
}

/// Asks for what the tile's end reads, a line or two a row: its sums take about as long as memory does.
#[inline(always)]
fn ask_for_results<const M: usize>(product: &Product<'_>, first: usize) {
    if let Some(residual) = product.store.residual {
        for &row in &product.c_rows[first..first + M] {
            prefetch(residual.as_ptr().wrapping_add(row + product.c_column));
        }
    }
}

/// The sums of a tile whose segments are long: a loop over each.
#[inline(always)]
unsafe fn sum_runs<V: Vector, const M: usize, const N: usize>(
    rows: &[*const f32; M],
    segments: &[usize],
    run: usize,
    mut panel: *const f32,
) -> [[V; N]; M] {
    // SAFETY: see `multiply`: it vouches for all that is read here.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        for &segment in segments {
            for at in segment..segment + run {
                add_products(rows, at, panel, &mut sums);
                panel = panel.add(N * V::LANES);
            }
        }
        sums
    }
}

/// The sums of a tile whose segments are single numbers: one loop over the list. As runs of 1 they would take twice the
/// time, for between two runs the compiler brings the sums to memory.
#[inline(always)]
unsafe fn sum_list<V: Vector, const M: usize, const N: usize>(
    rows: &[*const f32; M],
    list: &[usize],
    mut panel: *const f32,
) -> [[V; N]; M] {
    // SAFETY: see `multiply`: it vouches for all that is read here.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        for &at in list {
            add_products(rows, at, panel, &mut sums);
            panel = panel.add(N * V::LANES);
        }
        sums
    }
}

/// One step: `N` loads and `M` broadcasts feed `M · N` multiply-adds.
///
/// # Safety
/// The machine has the level of `V`; the panel has `N` vectors at `panel`, and every row a number at `at`.
#[inline(always)]
pub(crate) unsafe fn add_products<V: Vector, const M: usize, const N: usize>(
    rows: &[*const f32; M],
    at: usize,
    panel: *const f32,
    sums: &mut [[V; N]; M],
) {
    // SAFETY: see `multiply`: it vouches for all that is read here.
    unsafe {
        let mut right = [V::splat(0.0); N];
        for (n, right) in right.iter_mut().enumerate() {
            *right = V::load(panel.add(n * V::LANES));
        }
        for m in 0..M {
            let left = V::splat(*rows[m].add(at));
            for n in 0..N {
                sums[m][n] = left.mul_add(right[n], sums[m][n]);
            }
        }
    }
}

/// Stores a tile whose columns all exist. Every option is asked about once a tile, not once a vector: with short
/// depths a tile's end weighs as much as its sums.
#[inline(always)]
unsafe fn store_whole<V: Vector, const M: usize, const N: usize>(
    product: &Product<'_>,
    first: usize,
    mut sums: [[V; N]; M],
) {
    let width = N * V::LANES;
    let mut offsets = [product.c_column; M];
    for (offset, row) in offsets.iter_mut().zip(&product.c_rows[first..first + M]) {
        *offset += row;
    }
    // SAFETY: the level by the caller's promise; bounds are checked by `slice` and `read`; nobody else has these parts
    // of `c`, by the caller's promise, and each is let go before the next is taken.
    unsafe {
        if product.store.accumulate {
            for (sums, &offset) in sums.iter_mut().zip(&offsets) {
                let c = product.c.slice(offset, width);
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(c[n * V::LANES..].as_ptr()).add(*sum);
                }
            }
        }
        finish(&product.store, &offsets, &mut sums);
        for (sums, &offset) in sums.iter().zip(&offsets) {
            let c = product.c.slice(offset, width);
            for (n, sum) in sums.iter().enumerate() {
                sum.store(c[n * V::LANES..].as_mut_ptr());
            }
        }
    }
}

/// Bias, residual and activation of a tile whose rows start at these offsets.
#[inline(always)]
unsafe fn finish<V: Vector, const M: usize, const N: usize>(
    store: &Store<'_>,
    offsets: &[usize; M],
    sums: &mut [[V; N]; M],
) {
    // SAFETY: the level by the caller's promise; bounds are checked by `read`.
    unsafe {
        if let Some(bias) = store.bias {
            for n in 0..N {
                let bias: V = read(bias, n * V::LANES);
                for sums in sums.iter_mut() {
                    sums[n] = sums[n].add(bias);
                }
            }
        }
        if let Some(residual) = store.residual {
            for (sums, &offset) in sums.iter_mut().zip(offsets) {
                for (n, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add(read(residual, offset + n * V::LANES));
                }
            }
        }
        if store.relu {
            for sum in sums.iter_mut().flatten() {
                *sum = sum.relu();
            }
        }
    }
}

/// Stores a tile of which only the first columns exist, number by number in the same order of additions.
#[inline(always)]
unsafe fn store_part<V: Vector, const M: usize, const N: usize>(
    product: &Product<'_>,
    first: usize,
    sums: [[V; N]; M],
) {
    let Store { accumulate, bias, residual, relu } = product.store;
    let mut numbers = [0.0f32; MAX_TILE];
    for (row, sums) in numbers.chunks_exact_mut(N * V::LANES).zip(&sums) {
        for (lanes, sum) in row.chunks_exact_mut(V::LANES).zip(sums) {
            // SAFETY: `lanes` has as many numbers as the vector.
            unsafe { sum.store(lanes.as_mut_ptr()) }
        }
    }
    for (m, numbers) in numbers.chunks_exact(N * V::LANES).take(M).enumerate() {
        let offset = product.c_rows[first + m] + product.c_column;
        // SAFETY: bounds are checked by `slice`; nobody else has this part, by the caller's promise.
        let c = unsafe { product.c.slice(offset, product.columns) };
        for (j, (c, &number)) in c.iter_mut().zip(numbers).enumerate() {
            let mut sum = if accumulate { *c + number } else { number };
            if let Some(bias) = bias {
                sum += bias[j];
            }
            if let Some(residual) = residual {
                sum += residual[offset + j];
            }
            *c = if relu && sum < 0.0 { 0.0 } else { sum };
        }
    }
}
