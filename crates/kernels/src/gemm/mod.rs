//! Blocked matrix product over packed panels: the table of its kernels, and what they are given.
//!
//! The right factor is packed into *panels*: as many columns as a tile is wide, row after row, the last panel filled
//! up with zeros. The left factor stays where it is: each of its rows is an offset into a slice, and every row is
//! walked in the same *segments*: a list of offsets, and a run of numbers from each. That one form serves a plain matrix
//! (one segment), a transposed one (runs of 1, a row apart), and a convolution, whose rows are windows of a picture: the
//! matrix of all windows never exists.

/// The functions for panels of some vectors: `tiles!(function: vectors => rows …, …)`.
macro_rules! tiles {
    ($tile:ident: $($vectors:literal => $($rows:literal)+),+) => {
        &[$(&[$($tile::<$rows, $vectors>),+]),+]
    };
}

mod panels;
mod scalar;
mod tile;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

pub(crate) use panels::{pack_pairs, pack_rows, pack_transposed, pack_transposed_pairs};
pub(crate) use tile::{Numbers, Pairs, add_products};

use crate::Level;
use crate::pool::Disjoint;
use crate::simd::prefetch_soon;

/// Bytes of a core's second cache that a block may count on: the least of current machines. On larger caches the
/// blocks are a little small, which costs less than blocks that do not fit.
pub(crate) const L2_BYTES: usize = 512 << 10;

/// Numbers of a cache line.
const LINE: usize = 16;

/// Rows of the tallest tile of the table.
pub(crate) const MOST_ROWS: usize = 12;
/// Rows of the left factor that one call multiplies at most; callers keep their lists of offsets on the stack.
pub(crate) const MAX_ROWS: usize = 256;
/// Segments, or places of columns, of one call, at most.
pub(crate) const MAX_SEGMENTS: usize = 256;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct GemmKernel {
    /// `gemm_f32_{level}`.
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    /// Whether the words of both factors are [`Pairs`].
    of_pairs: bool,
    /// Numbers of a vector.
    lanes: usize,
    /// For panels of 1, 2, … vectors a function for tiles of 1, 2, … rows.
    tiles: &'static [&'static [Tile]],
}

impl GemmKernel {
    /// Whether this machine has what it is made of.
    pub(crate) fn is_available(&self) -> bool {
        // Plain Rust does without the instruction.
        let has_factors = !self.of_pairs || self.level.has_pairs() || self.level == Level::Scalar;
        self.level.is_available() && has_factors
    }

    /// Width of the panels that so many columns are cut into: as few as there can be, about equally wide. The wider, the
    /// fewer rows has a tile, and the fewer of a tile's loads are of single numbers.
    pub(crate) fn panel_columns(&self, columns: usize) -> usize {
        let vectors = columns.div_ceil(self.lanes).max(1);
        vectors.div_ceil(vectors.div_ceil(self.tiles.len())) * self.lanes
    }
}

/// Multiplies the rows of a product from a number on. To be called only where the level is available, with a product
/// that was checked and whose part of `c` is the caller's.
type Tile = unsafe fn(&Product<'_>, usize);

/// Every kernel of the family, the most capable level first.
pub(crate) static GEMM: &[GemmKernel] = &[
    #[cfg(target_arch = "x86_64")]
    avx512::GEMM_F32,
    #[cfg(target_arch = "x86_64")]
    avx2::GEMM_F32,
    #[cfg(target_arch = "aarch64")]
    neon::GEMM_F32,
    scalar::GEMM_F32,
];

/// The same whose words are [`Pairs`] of numbers of 16 bits.
pub(crate) static GEMM_OF_PAIRS: &[GemmKernel] = &[
    #[cfg(target_arch = "x86_64")]
    avx512::GEMM_BF16,
    scalar::GEMM_BF16,
];

/// A kernel whose level this machine has: holding it is the proof.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gemm(&'static GemmKernel);

impl Gemm {
    /// `None` where the machine lacks what the kernel is made of.
    pub(crate) fn new(kernel: &'static GemmKernel) -> Option<Self> {
        kernel.is_available().then_some(Self(kernel))
    }

    /// The kernel of numbers that a machine runs at a level.
    pub(crate) fn at_level(level: Level) -> Self {
        let kernels = GEMM.iter().filter(|kernel| kernel.level <= level);
        kernels.filter_map(Self::new).next().expect("the last row needs no level")
    }

    /// See [`GemmKernel::panel_columns`].
    pub(crate) fn panel_columns(self, columns: usize) -> usize {
        self.0.panel_columns(columns)
    }

    /// Multiplies.
    ///
    /// # Safety
    /// While this runs nobody else reads or writes the part of `c` that the product names.
    ///
    /// # Panics
    /// When a factor is too short, or a row of `c` lies outside.
    pub(crate) unsafe fn multiply(self, product: &Product<'_>) {
        // SAFETY: by the caller's promise.
        unsafe { self.multiply_asking(product, &[]) }
    }

    /// [`multiply`](Self::multiply), asking on the way for what is read after it: memory then works beside the sums.
    ///
    /// # Safety
    /// As [`multiply`](Self::multiply).
    ///
    /// # Panics
    /// As [`multiply`](Self::multiply).
    pub(crate) unsafe fn multiply_asking(self, product: &Product<'_>, next: &[&[f32]]) {
        let rows = product.c_rows.places.len();
        if rows == 0 {
            return;
        }
        product.check(self.0.lanes);
        let by_rows = self.0.tiles[product.columns.div_ceil(self.0.lanes).max(1) - 1];
        // The rows are divided evenly: 64 rows in tiles of 6 are 9 × 6 and 2 × 5, not 10 × 6 and a slow 4.
        let tiles = rows.div_ceil(by_rows.len());
        let mut first = 0;
        for tile in 1..=tiles {
            let end = rows * tile / tiles;
            for next in next {
                let lines = next.len().div_ceil(LINE);
                for line in lines * (tile - 1) / tiles..lines * tile / tiles {
                    prefetch_soon(next.as_ptr().wrapping_add(line * LINE));
                }
            }
            // SAFETY: the level is available, for `new` asked; the product was just checked, and tile function i has
            // i + 1 rows; `c` by the caller's promise.
            unsafe { by_rows[end - first - 1](product, first) };
            first = end;
        }
    }
}

/// `c[i][j] = store(Σ_p left[i][p] · panel[p][j])` for some rows i and the columns j of one panel.
pub(crate) struct Product<'p> {
    pub(crate) left: Left<'p>,
    /// `[depth][width]`.
    pub(crate) panel: &'p [f32],
    pub(crate) width: usize,
    /// What the result is stored to.
    pub(crate) c: &'p Disjoint<'p, f32>,
    /// Where each row of the result starts, and which column of it the panel's first one is.
    pub(crate) c_rows: Places<'p>,
    pub(crate) c_column: usize,
    /// Columns of the panel that exist: the panel's width, or fewer.
    pub(crate) columns: usize,
    pub(crate) store: Store<'p>,
}

/// The left factor.
#[derive(Clone, Copy)]
pub(crate) enum Left<'p> {
    /// Numbers of a row lie side by side, in segments.
    Rows {
        numbers: &'p [f32],
        /// Where each row starts.
        rows: Places<'p>,
        /// Where each segment starts, from the row's start.
        segments: &'p [usize],
        /// Numbers of a segment. The depth of the product is segments × run.
        run: usize,
    },
    /// Numbers of a column lie side by side: row i has those `first + i` behind each of the places. All rows of a tile
    /// are then read through one register, of which twelve rows by twelve leave too few.
    Columns { numbers: &'p [f32], first: usize, places: Places<'p> },
}

/// Places of rows or columns, of which the furthest is known: many products have the same ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'p> {
    places: &'p [usize],
    furthest: usize,
}

impl<'p> Places<'p> {
    pub(crate) fn new(places: &'p [usize]) -> Self {
        Self { places, furthest: places.iter().copied().max().unwrap_or(0) }
    }
}

/// What happens to a sum on its way to `c`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Store<'s> {
    /// Add it to what `c` holds.
    pub(crate) accumulate: bool,
    /// Then add these: a number for each column.
    pub(crate) bias: Option<&'s [f32]>,
    /// Then these: a slice with the offsets of `c`.
    pub(crate) residual: Option<&'s [f32]>,
    /// Then set to zero what is below zero, and to this what is above it.
    pub(crate) ceiling: Option<f32>,
}

impl Product<'_> {
    /// `lanes`: of a vector, whole ones of which are read from every row of the panel.
    fn check(&self, lanes: usize) {
        let rows = self.c_rows.places.len();
        let furthest = |offsets: &[usize]| offsets.iter().copied().max().unwrap_or(0);
        let (numbers, last, depth) = match self.left {
            Left::Rows { numbers, rows: starts, segments, run } => {
                let lefts = starts.places.len();
                assert!(lefts == rows, "{lefts} rows of the left factor, {rows} of the result");
                (numbers, starts.furthest + furthest(segments) + run.saturating_sub(1), segments.len() * run)
            }
            Left::Columns { numbers, first, places } => {
                (numbers, places.furthest + first + rows - 1, places.places.len())
            }
        };
        assert!(last < numbers.len(), "the left factor ends at {}, {last} is asked for", numbers.len());
        assert!(self.width.is_multiple_of(lanes), "a panel of {} columns is no whole vectors", self.width);
        assert!(self.panel.len() >= depth * self.width, "the panel is too short");
        let end = self.c_rows.furthest + self.c_column + self.columns;
        assert!(self.columns <= self.width && end <= self.c.len(), "results {end} of {}", self.c.len());
        assert!(self.store.bias.is_none_or(|bias| bias.len() == self.columns), "the bias is not of the panel's width");
        assert!(
            self.store.residual.is_none_or(|residual| residual.len() == self.c.len()),
            "a residual of another size"
        );
    }
}

#[cfg(test)]
mod tests;
