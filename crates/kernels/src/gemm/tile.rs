//! The algorithm of every level: tiles of sums kept in registers.

use super::{Product, Store};
use crate::simd::{Vector, read};

/// Numbers of the largest tile: 12 rows of two vectors of 16.
const MAX_TILE: usize = 12 * 32;

/// Multiplies all rows by one panel, in tiles of at most `R` rows and exactly `N` vectors.
///
/// The rows are divided evenly: 64 rows in tiles of 6 are 9 × 6 and 2 × 5, not 10 × 6 and a slow 4.
///
/// # Safety
/// The machine has the level of `V`, the caller its features; the product was checked; its part of `c` is the caller's.
#[inline(always)]
pub(super) unsafe fn multiply<V: Vector, const R: usize, const N: usize>(product: &Product<'_>) {
    let rows = product.a_rows.len();
    let tiles = rows.div_ceil(R);
    let mut first = 0;
    for tile in 1..=tiles {
        let end = rows * tile / tiles;
        // A branch whose number of rows exceeds R is never taken, and the compiler sees it: `end - first <= R`.
        // SAFETY: this function's own contract.
        unsafe {
            match end - first {
                1 => tile_of::<V, 1, N>(product, first),
                2 => tile_of::<V, 2, N>(product, first),
                3 => tile_of::<V, 3, N>(product, first),
                4 => tile_of::<V, 4, N>(product, first),
                5 if R >= 5 => tile_of::<V, 5, N>(product, first),
                6 if R >= 6 => tile_of::<V, 6, N>(product, first),
                7 if R >= 7 => tile_of::<V, 7, N>(product, first),
                8 if R >= 8 => tile_of::<V, 8, N>(product, first),
                9 if R >= 9 => tile_of::<V, 9, N>(product, first),
                10 if R >= 10 => tile_of::<V, 10, N>(product, first),
                11 if R >= 11 => tile_of::<V, 11, N>(product, first),
                12 if R >= 12 => tile_of::<V, 12, N>(product, first),
                _ => unreachable!("tiles have at most {R} rows"),
            }
        }
        first = end;
    }
}

/// `M` rows from `first` on.
#[inline(always)]
unsafe fn tile_of<V: Vector, const M: usize, const N: usize>(product: &Product<'_>, first: usize) {
    let mut rows = [product.a.as_ptr(); M];
    for (row, &offset) in rows.iter_mut().zip(&product.a_rows[first..first + M]) {
        *row = row.wrapping_add(offset);
    }
    // A run of 1 is told to the compiler: then there is one loop over the segments, without an inner one.
    // SAFETY: the product was checked, so every row, segment and run stays inside `a`, and the panel is as long as the
    // depth; level and features by the caller's promise.
    let sums: [[V; N]; M] = unsafe {
        match product.run {
            1 => sum::<V, M, N>(&rows, product.segments, 1, product.panel.as_ptr()),
            run => sum::<V, M, N>(&rows, product.segments, run, product.panel.as_ptr()),
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

/// The sums of a tile: per step `N` loads and `M` broadcasts feed `M · N` multiply-adds.
#[inline(always)]
unsafe fn sum<V: Vector, const M: usize, const N: usize>(
    rows: &[*const f32; M],
    segments: &[usize],
    run: usize,
    mut panel: *const f32,
) -> [[V; N]; M] {
    // SAFETY: see `tile_of`: it vouches for all that is read here.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        for &segment in segments {
            for at in segment..segment + run {
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
                panel = panel.add(N * V::LANES);
            }
        }
        sums
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
