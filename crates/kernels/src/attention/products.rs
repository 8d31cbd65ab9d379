//! The products of a head, by the kernels of the GEMM table.

use crate::gemm::{Gemm, Left, MAX_ROWS, Places, Product, Store, pack_rows, pack_transposed};
use crate::pool::Disjoint;

/// Rows of numbers, `pitch` apart.
#[derive(Clone, Copy)]
pub(super) struct Rows<'m> {
    pub(super) numbers: &'m [f32],
    pub(super) first: usize,
    pub(super) pitch: usize,
}

impl<'m> Rows<'m> {
    /// The same without the rows before one.
    pub(super) fn from(self, row: usize) -> Self {
        Self { first: self.first + row * self.pitch, ..self }
    }

    fn row(&self, number: usize, len: usize) -> &'m [f32] {
        &self.numbers[self.first + number * self.pitch..][..len]
    }
}

/// A right factor `[depth][columns]`, packed into panels.
pub(super) struct Right<'p> {
    panels: &'p [f32],
    depth: usize,
    columns: usize,
    width: usize,
}

impl<'p> Right<'p> {
    /// Numbers of its panels.
    pub(super) fn len(gemm: Gemm, depth: usize, columns: usize) -> usize {
        let width = gemm.panel_columns(columns);
        columns.div_ceil(width) * width * depth
    }

    /// From `depth` rows of `columns` numbers, each times `scale`.
    pub(super) fn of_rows(
        gemm: Gemm,
        rows: Rows<'_>,
        [depth, columns]: [usize; 2],
        scale: f32,
        to: &'p mut [f32],
    ) -> Self {
        Self::packed(gemm, [depth, columns], scale, to, |panel, width, first, count| {
            pack_rows(panel, width, |i| &rows.row(i, columns)[first..first + count]);
        })
    }

    /// From `columns` rows of `depth` numbers, each times `scale`.
    pub(super) fn of_columns(
        gemm: Gemm,
        rows: Rows<'_>,
        [depth, columns]: [usize; 2],
        scale: f32,
        to: &'p mut [f32],
    ) -> Self {
        Self::packed(gemm, [depth, columns], scale, to, |panel, width, first, count| {
            pack_transposed(panel, width, count, |j| rows.row(first + j, depth));
        })
    }

    /// `pack` is given a panel, its width, its first column and how many of its columns there are.
    fn packed(
        gemm: Gemm,
        [depth, columns]: [usize; 2],
        scale: f32,
        to: &'p mut [f32],
        pack: impl Fn(&mut [f32], usize, usize, usize),
    ) -> Self {
        let width = gemm.panel_columns(columns);
        let panels = &mut to[..Self::len(gemm, depth, columns)];
        for (number, panel) in panels.chunks_exact_mut(depth * width).enumerate() {
            let first = number * width;
            pack(&mut *panel, width, first, width.min(columns - first));
            if scale != 1.0 {
                panel.iter_mut().for_each(|value| *value *= scale);
            }
        }
        Self { panels, depth, columns, width }
    }

    /// Some rows of a product, which start at these places of `c`, or are added to what is there.
    ///
    /// # Safety
    /// Nobody else touches these rows of `c`, in the columns of the product.
    unsafe fn multiply(&self, gemm: Gemm, left: Left<'_>, c: &Disjoint<'_, f32>, c_rows: &[usize], accumulate: bool) {
        let c_rows = Places::new(c_rows);
        for (number, panel) in self.panels.chunks_exact(self.depth * self.width).enumerate() {
            let column = number * self.width;
            let product = Product {
                left,
                panel,
                width: self.width,
                c,
                c_rows,
                c_column: column,
                columns: self.width.min(self.columns - column),
                store: Store { accumulate, ..Store::default() },
            };
            // SAFETY: by the caller's promise.
            unsafe { gemm.multiply(&product) }
        }
    }
}

/// Where rows of a result go: the first one's place, and from one to the next.
#[derive(Clone, Copy)]
pub(super) struct To<'c> {
    pub(super) c: &'c Disjoint<'c, f32>,
    pub(super) first: usize,
    pub(super) pitch: usize,
}

/// `to = left · right` for `count` rows.
///
/// # Safety
/// Nobody else touches these rows of the target, in the columns of the right factor.
pub(super) unsafe fn multiply(gemm: Gemm, left: Rows<'_>, count: usize, right: &Right<'_>, to: To<'_>) {
    for first in (0..count).step_by(MAX_ROWS) {
        let some = MAX_ROWS.min(count - first);
        let (mut rows, mut c_rows) = ([0; MAX_ROWS], [0; MAX_ROWS]);
        for i in 0..some {
            rows[i] = left.first + (first + i) * left.pitch;
            c_rows[i] = to.first + (first + i) * to.pitch;
        }
        let rows = Places::new(&rows[..some]);
        let left = Left::Rows { numbers: left.numbers, rows, segments: &[0], run: right.depth };
        // SAFETY: by the caller's promise.
        unsafe { right.multiply(gemm, left, to.c, &c_rows[..some], false) }
    }
}

/// `to = leftᵀ · right`, or added to what is there, where the left factor's rows are as many as the right one's, at most
/// [`MAX_ROWS`], and have `count` numbers.
///
/// # Safety
/// As for [`multiply`].
pub(super) unsafe fn multiply_transposed(
    gemm: Gemm,
    left: Rows<'_>,
    count: usize,
    right: &Right<'_>,
    to: To<'_>,
    accumulate: bool,
) {
    let mut places = [0; MAX_ROWS];
    let places = &mut places[..right.depth];
    places.iter_mut().enumerate().for_each(|(i, place)| *place = left.first + i * left.pitch);
    let places = Places::new(places);
    for first in (0..count).step_by(MAX_ROWS) {
        let some = MAX_ROWS.min(count - first);
        let mut c_rows = [0; MAX_ROWS];
        for (i, c_row) in c_rows.iter_mut().enumerate().take(some) {
            *c_row = to.first + (first + i) * to.pitch;
        }
        let left = Left::Columns { numbers: left.numbers, first, places };
        // SAFETY: by the caller's promise.
        unsafe { right.multiply(gemm, left, to.c, &c_rows[..some], accumulate) }
    }
}
