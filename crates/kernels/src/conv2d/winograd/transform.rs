//! The transforms of one tile: a matrix applied along both axes, for as many channels as a vector has lanes.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::algorithm::{Algorithm, Factored, factored};
use super::points::MOST;
use crate::simd::Vector;

/// A matrix known to the compiler: where it is applied, zeros vanish and ones cost no multiplication.
pub(super) trait Transform {
    /// Numbers that come out, and that go in.
    const ROWS: usize;
    const COLUMNS: usize;
    const FACTORED: Factored;
    /// Whether the matrix is the transpose of `FACTORED`.
    const TRANSPOSED: bool;
}

/// An [`Algorithm`] as a type.
pub(super) trait Filtering {
    const ALGORITHM: Algorithm;
}

/// m outputs of a stride.
pub(super) struct Forward<const STRIDE: usize, const M: usize>;

impl<const STRIDE: usize, const M: usize> Filtering for Forward<STRIDE, M> {
    const ALGORITHM: Algorithm = Algorithm::forward(STRIDE, M);
}

/// The gradient of its input. At stride 1 that is a [`Forward`] itself.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "rows of stride 2 are of AVX2"))]
pub(super) struct GradInput<const STRIDE: usize, const M: usize>;

impl<const STRIDE: usize, const M: usize> Filtering for GradInput<STRIDE, M> {
    const ALGORITHM: Algorithm = Algorithm::grad_input(STRIDE, M);
}

/// Inputs: `Bᵀ d B`.
pub(super) struct Data<F>(PhantomData<F>);

impl<F: Filtering> Transform for Data<F> {
    const ROWS: usize = F::ALGORITHM.sizes.places;
    const COLUMNS: usize = F::ALGORITHM.sizes.inputs;
    const FACTORED: Factored = factored(F::ALGORITHM.data);
    const TRANSPOSED: bool = false;
}

/// Weights: `G g Gᵀ`.
pub(super) struct Filter<F>(PhantomData<F>);

impl<F: Filtering> Transform for Filter<F> {
    const ROWS: usize = F::ALGORITHM.sizes.places;
    const COLUMNS: usize = 3;
    const FACTORED: Factored = factored(F::ALGORITHM.filter);
    const TRANSPOSED: bool = false;
}

/// The weights' gradient from sums of products: `Gᵀ p G`.
pub(super) struct FilterGradient<F>(PhantomData<F>);

impl<F: Filtering> Transform for FilterGradient<F> {
    const ROWS: usize = 3;
    const COLUMNS: usize = F::ALGORITHM.sizes.places;
    const FACTORED: Factored = Filter::<F>::FACTORED;
    const TRANSPOSED: bool = true;
}

/// Outputs from sums of products: `Aᵀ p A`.
pub(super) struct Outputs<F>(PhantomData<F>);

impl<F: Filtering> Transform for Outputs<F> {
    const ROWS: usize = F::ALGORITHM.sizes.outputs;
    const COLUMNS: usize = F::ALGORITHM.sizes.places;
    const FACTORED: Factored = factored(F::ALGORITHM.outputs);
    const TRANSPOSED: bool = true;
}

/// The outputs' gradient: `A e Aᵀ`.
pub(super) struct OutputsGradient<F>(PhantomData<F>);

impl<F: Filtering> Transform for OutputsGradient<F> {
    const ROWS: usize = F::ALGORITHM.sizes.places;
    const COLUMNS: usize = F::ALGORITHM.sizes.outputs;
    const FACTORED: Factored = Outputs::<F>::FACTORED;
    const TRANSPOSED: bool = false;
}

/// Repeats an expression for the constants 0 to 10: what depends on them alone is decided by the compiler.
macro_rules! each {
    ($i:ident => $body:expr) => {{
        each!(@ $i 0 $body);
        each!(@ $i 1 $body);
        each!(@ $i 2 $body);
        each!(@ $i 3 $body);
        each!(@ $i 4 $body);
        each!(@ $i 5 $body);
        each!(@ $i 6 $body);
        each!(@ $i 7 $body);
        each!(@ $i 8 $body);
        each!(@ $i 9 $body);
        each!(@ $i 10 $body);
    }};
    (@ $i:ident $value:literal $body:expr) => {{
        const $i: usize = $value;
        $body
    }};
}

/// Takes the numbers of a transformed tile. Closures do, and where one would do so much that the compiler makes a function
/// of it, which lacks the level's features and then calls one for every instruction, a struct with an inlined method.
pub(super) trait Put<V> {
    /// Number (i, j).
    ///
    /// # Safety
    /// The machine has the level of `V`; the number is one that the transform gives.
    unsafe fn put(&mut self, i: usize, j: usize, v: V);
}

impl<V, F: FnMut(usize, usize, V)> Put<V> for F {
    #[inline(always)]
    unsafe fn put(&mut self, i: usize, j: usize, v: V) {
        self(i, j, v);
    }
}

/// Calls `put(i, j, (T · X · Tᵀ)[i][j])` for all rows i and j, where `X[i][j] = get(i, j)`.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the constants of `each!` are the other index")]
pub(super) unsafe fn both_axes<V: Vector, T: Transform>(get: impl Fn(usize, usize) -> V, mut put: impl Put<V>) {
    let mut half = [const { [const { MaybeUninit::<V>::uninit() }; MOST] }; MOST];
    for j in 0..T::COLUMNS {
        // SAFETY: the level by the caller's promise.
        let mut column = [unsafe { V::splat(0.0) }; MOST];
        each!(I => if const { I < T::COLUMNS } { column[I] = get(I, j); });
        // SAFETY: as above.
        let column = unsafe { apply::<V, T>(column) };
        each!(I => if const { I < T::ROWS } { half[I][j].write(column[I]); });
    }
    for (i, half) in half.iter().enumerate().take(T::ROWS) {
        // SAFETY: the level by the caller's promise.
        let mut row = [unsafe { V::splat(0.0) }; MOST];
        // SAFETY: the loop above wrote the first `COLUMNS` vectors of the first `ROWS` rows.
        each!(J => if const { J < T::COLUMNS } { row[J] = unsafe { half[J].assume_init() }; });
        // SAFETY: the level by the caller's promise.
        let row = unsafe { apply::<V, T>(row) };
        // SAFETY: a number of the result; the level by the caller's promise.
        each!(J => if const { J < T::ROWS } { unsafe { put.put(i, J, row[J]) } });
    }
}

/// `T · x`.
///
/// # Safety
/// The machine has the level of `V`.
#[inline(always)]
unsafe fn apply<V: Vector, T: Transform>(mut x: [V; MOST]) -> [V; MOST] {
    // SAFETY: the level by the caller's promise.
    unsafe {
        let mut y = [V::splat(0.0); MOST];
        if T::TRANSPOSED {
            combine_pairs::<V, T>(&mut x);
        }
        each!(R => if const { R < T::ROWS } {
            each!(C => match const { term::<T>(R, C) } {
                Term::None => {}
                Term::First => y[R] = x[C],
                Term::FirstScaled => y[R] = x[C].mul(V::splat(const { coefficient::<T>(R, C) })),
                Term::Added => y[R] = y[R].add(x[C]),
                Term::Subtracted => y[R] = y[R].sub(x[C]),
                Term::Scaled => y[R] = x[C].mul_add(V::splat(const { coefficient::<T>(R, C) }), y[R]),
            });
        });
        if !T::TRANSPOSED {
            combine_pairs::<V, T>(&mut y);
        }
        y
    }
}

/// `(a, b)` of every pair becomes `(a + b, a − b)`.
#[inline(always)]
unsafe fn combine_pairs<V: Vector, T: Transform>(v: &mut [V; MOST]) {
    each!(I => if const { T::FACTORED.paired[I] } {
        let (a, b) = (v[I], v[(I + 1) % MOST]);
        // SAFETY: the level by the caller's promise.
        (v[I], v[(I + 1) % MOST]) = unsafe { (a.add(b), a.sub(b)) };
    });
}

/// What `coefficient · x` does to a sum. A constant of this type, matched, leaves the compiler one arm: of the others, most of which do
/// nothing in most transforms, it makes nothing that would have to be removed again.
enum Term {
    None,
    /// It replaces the sum.
    First,
    FirstScaled,
    Added,
    Subtracted,
    Scaled,
}

const fn term<T: Transform>(row: usize, column: usize) -> Term {
    if column >= T::COLUMNS {
        return Term::None;
    }
    match (coefficient::<T>(row, column), is_first::<T>(row, column)) {
        (0.0, _) => Term::None,
        (1.0, true) => Term::First,
        (_, true) => Term::FirstScaled,
        (1.0, false) => Term::Added,
        (-1.0, false) => Term::Subtracted,
        (_, false) => Term::Scaled,
    }
}

const fn coefficient<T: Transform>(row: usize, column: usize) -> f32 {
    let sparse = T::FACTORED.sparse;
    (if T::TRANSPOSED { sparse[column][row] } else { sparse[row][column] }) as f32
}

/// Whether all terms of the row before this one are zero.
const fn is_first<T: Transform>(row: usize, column: usize) -> bool {
    let mut before = 0;
    while before < column {
        if coefficient::<T>(row, before) != 0.0 {
            return false;
        }
        before += 1;
    }
    true
}
