//! Winograd's minimal filtering of three taps along one axis, at stride 1 and 2: sizes and matrices.
//!
//! At stride 1 it is that of [`Points`] itself. At stride 2 the first and last of three taps meet every second input, as a
//! filter of two taps at stride 1, and the middle tap meets the inputs between, one for one: 2m + 1 products instead of 3m.
//! The gradient of the input is that turned round: every second number of it is a sum of two taps, the others are one tap's.

use super::points::{MOST, Matrix, Points};

/// Taps of the filter.
const TAPS: usize = 3;

/// How a tile is filtered along one axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Numbers that a tile's window has, that are multiplied, and that come out.
    pub(super) inputs: usize,
    pub(super) places: usize,
    pub(super) outputs: usize,
    /// Inputs from one tile's window to the next.
    pub(super) step: usize,
}

impl Sizes {
    /// Of m outputs.
    pub(super) const fn forward(stride: usize, m: usize) -> Self {
        match stride {
            1 => Self { inputs: m + 2, places: m + 2, outputs: m, step: m },
            _ => Self { inputs: 2 * m + 1, places: 2 * m + 1, outputs: m, step: 2 * m },
        }
    }

    /// Of the gradient of the input, from about m numbers of the outputs' gradient.
    pub(super) const fn grad_input(stride: usize, m: usize) -> Self {
        match stride {
            1 => Self::forward(1, m),
            _ => Self { inputs: m + 1, places: 2 * m + 1, outputs: 2 * m, step: m },
        }
    }
}

/// A filter of three taps, and its matrices.
#[derive(Clone, Copy)]
pub(super) struct Algorithm {
    pub(super) sizes: Sizes,
    /// Bᵀ: a row for each place, a column for each input.
    pub(super) data: Matrix,
    /// G: a column for each tap.
    pub(super) filter: Matrix,
    /// A: a column for each output.
    pub(super) outputs: Matrix,
}

impl Algorithm {
    /// m outputs.
    pub(super) const fn forward(stride: usize, m: usize) -> Self {
        let sizes = Sizes::forward(stride, m);
        if stride == 1 {
            let points = Points::of_three_taps(m);
            return Self { sizes, data: points.data(), filter: points.filter(TAPS), outputs: points.powers(m) };
        }
        let points = Points::of_two_taps(m);
        let [mut data, mut outputs] = [[[0.0; MOST]; MOST]; 2];
        place(&mut data, points.data(), [0, 2]);
        place(&mut outputs, points.powers(m), [0, 1]);
        let mut k = 0;
        while k < m {
            data[m + 1 + k][2 * k + 1] = 1.0;
            outputs[m + 1 + k][k] = 1.0;
            k += 1;
        }
        Self { sizes, data, filter: strided_filter(&points, m), outputs }
    }

    /// The gradient of the input: 2m numbers, or m at stride 1. Taps come backwards.
    pub(super) const fn grad_input(stride: usize, m: usize) -> Self {
        if stride == 1 {
            return Self::forward(stride, m);
        }
        let points = Points::of_two_taps(m);
        let [mut data, mut outputs] = [[[0.0; MOST]; MOST]; 2];
        place(&mut data, points.data(), [0, 1]);
        place(&mut outputs, points.powers(m), [1, 2]);
        let mut k = 0;
        while k < m {
            data[m + 1 + k][k] = 1.0;
            outputs[m + 1 + k][2 * k] = 1.0;
            k += 1;
        }
        Self { sizes: Sizes::grad_input(stride, m), data, filter: strided_filter(&points, m), outputs }
    }
}

/// The outer taps at the points, the middle one for the places after them.
const fn strided_filter(points: &Points, m: usize) -> Matrix {
    let mut filter = [[0.0; MOST]; MOST];
    place(&mut filter, points.filter(2), [0, 2]);
    let mut k = 0;
    while k < m {
        filter[m + 1 + k][1] = 1.0;
        k += 1;
    }
    filter
}

/// Puts column k of a matrix to column `first + k · step` of another one.
const fn place(to: &mut Matrix, from: Matrix, [first, step]: [usize; 2]) {
    let mut i = 0;
    while i < MOST {
        let mut k = 0;
        while first + k * step < MOST {
            to[i][first + k * step] = from[i][k];
            k += 1;
        }
        i += 1;
    }
}

/// A matrix as two cheaper steps: first `sparse`, then row i of every pair becomes the sum and row i + 1 the difference
/// of the two. The rows of p and −p differ in the sign of some of their terms, so each term is computed once.
#[derive(Clone, Copy)]
pub(super) struct Factored {
    pub(super) sparse: Matrix,
    /// Rows that form a pair with the next one.
    pub(super) paired: [bool; MOST],
}

/// Pairs the rows of p and −p where that saves multiplications.
pub(super) const fn factored(matrix: Matrix) -> Factored {
    let (mut sparse, mut paired) = (matrix, [false; MOST]);
    let mut i = 0;
    while i + 1 < MOST {
        let (mut sum, mut difference) = ([0.0; MOST], [0.0; MOST]);
        let mut k = 0;
        while k < MOST {
            sum[k] = (matrix[i][k] + matrix[i + 1][k]) / 2.0;
            difference[k] = (matrix[i][k] - matrix[i + 1][k]) / 2.0;
            k += 1;
        }
        let pays = terms(&sum) + terms(&difference) + 2 <= terms(&matrix[i]) + terms(&matrix[i + 1]);
        if pays && terms(&matrix[i]) > 0 {
            (sparse[i], sparse[i + 1], paired[i]) = (sum, difference, true);
            i += 1;
        }
        i += 1;
    }
    Factored { sparse, paired }
}

const fn terms(row: &[f64; MOST]) -> usize {
    let (mut terms, mut k) = (0, 0);
    while k < MOST {
        if row[k] != 0.0 {
            terms += 1;
        }
        k += 1;
    }
    terms
}

#[cfg(test)]
#[allow(clippy::needless_range_loop, reason = "indices as in the equations")]
mod tests {
    use super::*;

    /// A fraction of whole numbers, reduced: the derivation again, without rounding.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Fraction(i64, i64);

    impl Fraction {
        fn new(above: i64, below: i64) -> Self {
            fn gcd(a: i64, b: i64) -> i64 {
                if b == 0 { a.abs() } else { gcd(b, a % b) }
            }
            let by = gcd(above, below) * below.signum();
            Self(above / by, below / by)
        }

        fn times(self, other: Self) -> Self {
            Self::new(self.0 * other.0, self.1 * other.1)
        }

        fn minus(self, other: Self) -> Self {
            Self::new(self.0 * other.1 - other.0 * self.1, self.1 * other.1)
        }

        fn plus(self, other: Self) -> Self {
            self.minus(other.times(Self(-1, 1)))
        }

        /// Every number here is a fraction with a small denominator.
        fn of(number: f64) -> Self {
            let below = (1..10_000).find(|&d| {
                let above = number * d as f64;
                (above - above.round()).abs() < 1e-11 * above.abs().max(1.0)
            });
            let below = below.unwrap_or_else(|| panic!("{number} is no small fraction"));
            Self::new((number * below as f64).round() as i64, below)
        }
    }

    fn exact(matrix: &Matrix) -> [[Fraction; MOST]; MOST] {
        matrix.map(|row| row.map(Fraction::of))
    }

    /// What all algorithms give for unit vectors of inputs and taps, without rounding, beside `tap(output, input)`: the one tap that
    /// takes an input to an output.
    fn check(name: &str, algorithm: &Algorithm, tap: impl Fn(usize, usize) -> Option<usize>) {
        let [data, filter, outputs] = [&algorithm.data, &algorithm.filter, &algorithm.outputs].map(exact);
        let Sizes { inputs, places, outputs: count, .. } = algorithm.sizes;
        for o in 0..count {
            for r in 0..TAPS {
                for s in 0..inputs {
                    let products = (0..places).map(|i| outputs[i][o].times(filter[i][r]).times(data[i][s]));
                    let sum = products.fold(Fraction(0, 1), Fraction::plus);
                    let wanted = i64::from(tap(o, s) == Some(r));
                    assert_eq!(sum, Fraction(wanted, 1), "{name}: output {o}, tap {r}, input {s}");
                }
            }
        }
    }

    #[test]
    fn the_matrices_filter_exactly() {
        for m in 2..=6 {
            check(&format!("F({m})"), &Algorithm::forward(1, m), |o, s| s.checked_sub(o).filter(|&tap| tap < TAPS));
        }
        for m in 4..=5 {
            let tap = |o: usize, s: usize| s.checked_sub(2 * o).filter(|&tap| tap < TAPS);
            check(&format!("F({m}) of stride 2"), &Algorithm::forward(2, m), tap);
            // Number i of the gradient meets dy[o] by tap i + 1 - 2o, which is 1 - i + 2o counted backwards.
            let tap = |i: usize, o: usize| (2 * o + 1).checked_sub(i).filter(|&tap| tap < TAPS);
            check(&format!("gradient of F({m}) of stride 2"), &Algorithm::grad_input(2, m), tap);
        }
    }

    #[test]
    fn f2_is_that_of_lavin_and_gray_up_to_order_and_scale() {
        // Their F(2): Bᵀ = [1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1], here with the signs of points 0 and ∞ turned.
        assert_eq!(
            Algorithm::forward(1, 2).data[..4].iter().map(|row| row[..4].to_vec()).collect::<Vec<_>>(),
            [[-1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, -1.0, 0.0, 1.0],]
        );
    }

    #[test]
    fn factoring_changes_nothing() {
        let of_stride_1 = (2..=6).map(|m| Algorithm::forward(1, m));
        let others = (4..=5).flat_map(|m| [Algorithm::forward(2, m), Algorithm::grad_input(2, m)]);
        for algorithm in of_stride_1.chain(others) {
            for matrix in [algorithm.data, algorithm.filter, algorithm.outputs] {
                let Factored { mut sparse, paired } = factored(matrix);
                for i in (0..MOST).filter(|&i| paired[i]) {
                    for k in 0..MOST {
                        let (a, b) = (sparse[i][k], sparse[i + 1][k]);
                        (sparse[i][k], sparse[i + 1][k]) = (a + b, a - b);
                    }
                }
                for (got, want) in sparse.iter().flatten().zip(matrix.iter().flatten()) {
                    assert!((got - want).abs() <= 1e-15, "{:?}: {got} instead of {want}", algorithm.sizes);
                }
            }
        }
    }
}
