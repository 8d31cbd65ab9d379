//! The matrix products between the transforms: small, and both factors in the cache.

use crate::gemm::add_products;
use crate::simd::Vector;

/// Terms that are added one after another; the sums of so many are then added. The error of a sum of n terms in a row
/// grows with √n: 512 channels in parts of 32 come out about as exact as 48 in a row.
const TERMS: usize = 32;

/// `c[i][j] = Σ_k a[i · row_step + k · depth_step] · b[k][j]`, where b and c are panels.
pub(super) struct Product<'p> {
    pub(super) a: &'p [f32],
    pub(super) row_step: usize,
    pub(super) depth_step: usize,
    pub(super) rows: usize,
    pub(super) depth: usize,
    /// `[depth][panel width]`.
    pub(super) b: &'p [f32],
    /// `[rows][panel width]`.
    pub(super) c: &'p mut [f32],
    /// Add to what c holds.
    pub(super) accumulate: bool,
}

/// Multiplies in tiles of at most `M` rows (6, 8 or 12), divided evenly, and `N` vectors.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
pub(super) unsafe fn multiply<V: Vector, const M: usize, const N: usize>(product: &mut Product<'_>) {
    let width = N * V::LANES;
    let last = (product.rows - 1) * product.row_step + (product.depth - 1) * product.depth_step;
    assert!(last < product.a.len(), "the left factor is too short");
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
                1 => multiply_rows::<V, 1, N>(product, first),
                2 => multiply_rows::<V, 2, N>(product, first),
                3 => multiply_rows::<V, 3, N>(product, first),
                4 => multiply_rows::<V, 4, N>(product, first),
                5 if M > 4 => multiply_rows::<V, 5, N>(product, first),
                6 if M > 4 => multiply_rows::<V, 6, N>(product, first),
                7 if M > 6 => multiply_rows::<V, 7, N>(product, first),
                8 if M > 6 => multiply_rows::<V, 8, N>(product, first),
                9 if M > 8 => multiply_rows::<V, 9, N>(product, first),
                10 if M > 8 => multiply_rows::<V, 10, N>(product, first),
                11 if M > 8 => multiply_rows::<V, 11, N>(product, first),
                12 if M > 8 => multiply_rows::<V, 12, N>(product, first),
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
unsafe fn multiply_rows<V: Vector, const M: usize, const N: usize>(product: &mut Product<'_>, first: usize) {
    let width = N * V::LANES;
    let rows: [*const f32; M] =
        std::array::from_fn(|m| product.a.as_ptr().wrapping_add((first + m) * product.row_step));
    let (mut b, mut at) = (product.b.as_ptr(), 0);
    let c = product.c.as_mut_ptr().wrapping_add(first * width);
    // SAFETY: all that is read and written lies inside, as was checked.
    unsafe {
        for first in (0..product.depth).step_by(TERMS) {
            let mut sums = [[V::splat(0.0); N]; M];
            for _ in first..(first + TERMS).min(product.depth) {
                add_products(&rows, at, b, &mut sums);
                b = b.add(width);
                at += product.depth_step;
            }
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
