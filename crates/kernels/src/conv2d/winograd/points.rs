//! The matrices of Winograd's minimal filtering, computed by the compiler from the points they rest on.
//!
//! Cook and Toom's construction (A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, with
//! the derivation in R. Blahut, "Fast Algorithms for Signal Processing", 2010, ch. 5): m outputs of a filter with 3 taps
//! are `Aᵀ[(G g) ∘ (Bᵀ d)]`, where d are m + 2 inputs. Filter and gradient are polynomials evaluated at m + 1 points
//! and at infinity; Bᵀ is interpolation read backwards.
//!
//! For point i with `N_i = Π_{j≠i} (p_i − p_j)`: row i of Bᵀ has the coefficients of `Π_{j≠i} (x − p_j)`, row i of G is
//! `[1, p_i, p_i²] / N_i`, row i of A is `[1, p_i, …, p_iᵐ⁻¹]`. At infinity the rows are the coefficients of
//! `Π_j (x − p_j)`, `[0, 0, 1]` and `[0, …, 0, 1]`.

/// Rows and columns that a matrix has at most; those of smaller tiles leave the rest zero.
pub(super) const MOST: usize = 8;

/// Taps of the filter.
const TAPS: usize = 3;

/// The m + 1 points of tiles of m outputs. In pairs of ±p two rows share most of their work. Which pairs decides the
/// error: for 3 and 4 the best of all small fractions, 0.7 and 0.4 times that of the usual 0, ±1, ±2; for 5 and 6 no
/// pairs are better than these.
const fn point(m: usize, i: usize) -> f64 {
    match m {
        3 => [0.0, 0.75, -0.75, 2.0][i],
        4 => [0.0, 2.0 / 3.0, -2.0 / 3.0, 1.5, -1.5][i],
        _ => [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5][i],
    }
}

pub(super) type Matrix = [[f64; MOST]; MOST];

/// Bᵀ: m + 2 rows and columns.
pub(super) const fn data(m: usize) -> Matrix {
    let mut rows = [[0.0; MOST]; MOST];
    let mut i = 0;
    while i <= m + 1 {
        rows[i] = product_without(m, i);
        i += 1;
    }
    rows
}

/// G: m + 2 rows, 3 columns.
pub(super) const fn filter(m: usize) -> Matrix {
    let mut rows = powers(m, TAPS);
    let mut i = 0;
    while i <= m {
        let (mut factor, mut j) = (1.0, 0);
        while j <= m {
            if j != i {
                factor *= point(m, i) - point(m, j);
            }
            j += 1;
        }
        let mut k = 0;
        while k < TAPS {
            rows[i][k] /= factor;
            k += 1;
        }
        i += 1;
    }
    rows
}

/// A: m + 2 rows, m columns.
pub(super) const fn outputs(m: usize) -> Matrix {
    powers(m, m)
}

/// The coefficients of `Π_{j≠i} (x − p_j)`, the lowest first.
const fn product_without(m: usize, i: usize) -> [f64; MOST] {
    let mut coefficients = [0.0; MOST];
    coefficients[0] = 1.0;
    let mut j = 0;
    while j <= m {
        if j != i {
            let mut k = MOST - 1;
            while k > 0 {
                coefficients[k] = coefficients[k - 1] - point(m, j) * coefficients[k];
                k -= 1;
            }
            coefficients[0] *= -point(m, j);
        }
        j += 1;
    }
    coefficients
}

/// `p_iᵏ` for k below `columns`; at infinity only the highest power counts.
const fn powers(m: usize, columns: usize) -> Matrix {
    let mut rows = [[0.0; MOST]; MOST];
    let mut i = 0;
    while i <= m {
        let (mut power, mut k) = (1.0, 0);
        while k < columns {
            rows[i][k] = power;
            power *= point(m, i);
            k += 1;
        }
        i += 1;
    }
    rows[m + 1][columns - 1] = 1.0;
    rows
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
pub(super) const fn factored(m: usize, matrix: Matrix) -> Factored {
    let (mut sparse, mut paired) = (matrix, [false; MOST]);
    let mut i = 1;
    while i < m {
        let (mut sum, mut difference) = ([0.0; MOST], [0.0; MOST]);
        let mut k = 0;
        while k < MOST {
            sum[k] = (matrix[i][k] + matrix[i + 1][k]) / 2.0;
            difference[k] = (matrix[i][k] - matrix[i + 1][k]) / 2.0;
            k += 1;
        }
        if terms(&sum) + terms(&difference) + 2 <= terms(&matrix[i]) + terms(&matrix[i + 1]) {
            (sparse[i], sparse[i + 1], paired[i]) = (sum, difference, true);
        }
        i += 2;
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

    /// The identity that makes it a filter, without rounding: for all unit vectors g and d,
    /// `Σ_i A[i][o] · G[i][r] · Bᵀ[i][s]` is one where `s = o + r` and else zero.
    #[test]
    fn the_matrices_filter_exactly() {
        for m in 2..=6 {
            let [data, filter, outputs] = [data(m), filter(m), outputs(m)].map(|matrix| exact(&matrix));
            for o in 0..m {
                for r in 0..TAPS {
                    for s in 0..m + 2 {
                        let products = (0..m + 2).map(|i| outputs[i][o].times(filter[i][r]).times(data[i][s]));
                        let sum = products.fold(Fraction(0, 1), Fraction::plus);
                        assert_eq!(sum, Fraction((s == o + r).into(), 1), "F({m}): output {o}, tap {r}, input {s}");
                    }
                }
            }
        }
    }

    #[test]
    fn f2_is_that_of_lavin_and_gray_up_to_order_and_scale() {
        // Their F(2): Bᵀ = [1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1], here with the signs of points 0 and ∞ turned.
        assert_eq!(
            data(2)[..4].iter().map(|row| row[..4].to_vec()).collect::<Vec<_>>(),
            [[-1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, -1.0, 0.0, 1.0],]
        );
    }

    #[test]
    fn factoring_changes_nothing() {
        for m in 2..=6 {
            for matrix in [data(m), filter(m), outputs(m)] {
                let Factored { mut sparse, paired } = factored(m, matrix);
                for i in (0..MOST).filter(|&i| paired[i]) {
                    for k in 0..MOST {
                        let (a, b) = (sparse[i][k], sparse[i + 1][k]);
                        (sparse[i][k], sparse[i + 1][k]) = (a + b, a - b);
                    }
                }
                for (got, want) in sparse.iter().flatten().zip(matrix.iter().flatten()) {
                    assert!((got - want).abs() <= 1e-15, "F({m}): {got} instead of {want}");
                }
            }
        }
    }
}
