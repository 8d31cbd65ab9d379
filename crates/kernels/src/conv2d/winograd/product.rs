//! The matrix products between the transforms: small, and both factors in the cache.

use crate::gemm::{Numbers, add_products};
use crate::simd::Vector;

/// Terms that are added one after another; the sums of so many are then added. The error of a sum of n terms in a row
/// grows with the square root of n, that of parts hardly.
pub(super) const TERMS: usize = 32;

/// From one row of the left factor to the next, where a row's terms lie side by side: as many as are added at once.
/// The distance is a constant, so that a tile's rows need one register and not twelve.
pub(super) const ROWS_APART: usize = TERMS;
/// The same where the rows lie side by side.
pub(super) const ROWS_TOGETHER: usize = 1;

/// `c[i][j] = Σ_k a[place of k + i · STEP] · b[k][j]`, where b and c are panels and `STEP` is one of the two above.
pub(super) struct Product<'p> {
    pub(super) a: &'p [f32],
    /// From one term of a row to the next, and from one part of [`TERMS`] to the next.
    pub(super) term_step: usize,
    pub(super) part_step: usize,
    pub(super) rows: usize,
    pub(super) depth: usize,
    /// `[depth][panel width]`.
    pub(super) b: &'p [f32],
    /// `[rows][panel width]`.
    pub(super) c: &'p mut [f32],
    /// Add to what c holds.
    pub(super) accumulate: bool,
}

/// Multiplies in tiles of at most `M` rows (4, 6, 8 or 12), divided evenly, and `N` vectors.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
pub(super) unsafe fn multiply<V: Vector, const M: usize, const N: usize, const STEP: usize>(product: &mut Product<'_>) {
    let width = N * V::LANES;
    let term = product.depth - 1;
    let last = term / TERMS * product.part_step + term % TERMS * product.term_step;
    assert!(last + (product.rows - 1) * STEP < product.a.len(), "the left factor is too short");
    assert!(
        product.b.len() >= product.depth * width && product.c.len() >= product.rows * width,
        "a panel is too short"
    );
    let tiles = product.rows.div_ceil(M);
    let mut first = 0;
    for tile in 1..=tiles {
        let end = product.rows * tile / tiles;
        // SAFETY: rows and depth were checked to lie inside.
        unsafe {
            match end - first {
                1 => multiply_rows::<V, 1, N, STEP>(product, first),
                2 => multiply_rows::<V, 2, N, STEP>(product, first),
                3 => multiply_rows::<V, 3, N, STEP>(product, first),
                4 => multiply_rows::<V, 4, N, STEP>(product, first),
                5 if M > 4 => multiply_rows::<V, 5, N, STEP>(product, first),
                6 if M > 4 => multiply_rows::<V, 6, N, STEP>(product, first),
                7 if M > 6 => multiply_rows::<V, 7, N, STEP>(product, first),
                8 if M > 6 => multiply_rows::<V, 8, N, STEP>(product, first),
                9 if M > 8 => multiply_rows::<V, 9, N, STEP>(product, first),
                10 if M > 8 => multiply_rows::<V, 10, N, STEP>(product, first),
                11 if M > 8 => multiply_rows::<V, 11, N, STEP>(product, first),
                12 if M > 8 => multiply_rows::<V, 12, N, STEP>(product, first),
                rows => unreachable!("a tile of {rows} rows"),
            }
        }
        first = end;
    }
}

/// One tile: `N` loads and `M` broadcasts feed `M · N` multiply-adds.
///
/// # Safety
/// The machine has the level of `V`; the rows from `first` on exist, and the product was checked.
#[inline(always)]
unsafe fn multiply_rows<V: Vector, const M: usize, const N: usize, const STEP: usize>(
    product: &mut Product<'_>,
    first: usize,
) {
    let width = N * V::LANES;
    let mut part = product.a.as_ptr().wrapping_add(first * STEP);
    let mut b = product.b.as_ptr();
    let c = product.c.as_mut_ptr().wrapping_add(first * width);
    // SAFETY: all that is read and written lies inside, as was checked.
    unsafe {
        for first in (0..product.depth).step_by(TERMS) {
            let mut sums = [[V::splat(0.0); N]; M];
            let mut a = part;
            for _ in first..(first + TERMS).min(product.depth) {
                add_products::<V, Numbers, M, N, STEP>(a, b, &mut sums);
                b = b.add(width);
                a = a.wrapping_add(product.term_step);
            }
            part = part.wrapping_add(product.part_step);
            for (m, sums) in sums.into_iter().enumerate() {
                for (n, sum) in sums.into_iter().enumerate() {
                    let c = c.add(m * width + n * V::LANES);
                    let sum = if product.accumulate || first > 0 { V::load(c).add(sum) } else { sum };
                    sum.store(c);
                }
            }
        }
    }
}
