//! Matrices that filter with few multiplications, computed by the compiler from the points they rest on.
//!
//! Cook and Toom's construction (A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, with
//! the derivation in R. Blahut, "Fast Algorithms for Signal Processing", 2010, ch. 5): m outputs of a filter with r taps
//! are `Aᵀ[(G g) ∘ (Bᵀ d)]`, where d are m + r - 1 inputs. Filter and gradient are polynomials evaluated at m + r - 2 points
//! and at infinity; Bᵀ is interpolation read backwards.
//!
//! For point i with `N_i = Π_{j≠i} (p_i − p_j)`: row i of Bᵀ has the coefficients of `Π_{j≠i} (x − p_j)`, row i of G is
//! `[1, p_i, …, p_iʳ⁻¹] / N_i`, row i of A is `[1, p_i, …, p_iᵐ⁻¹]`. At infinity the rows are the coefficients of
//! `Π_j (x − p_j)`, `[0, …, 0, 1]` and `[0, …, 0, 1]`.

/// Rows and columns that a matrix has at most; those of smaller tiles leave the rest zero.
pub(super) const MOST: usize = 11;

pub(super) type Matrix = [[f64; MOST]; MOST];

/// The points that are numbers; one more lies at infinity.
pub(super) struct Points {
    points: [f64; MOST],
    count: usize,
}

impl Points {
    /// For tiles of m outputs. In pairs of ±p two rows share most of their work. Which pairs decides the error: for 3 and 4 the
    /// best of all small fractions, 0.7 and 0.4 times that of the usual 0, ±1, ±2; for 5 and 6 no pairs are better than these.
    pub(super) const fn of_three_taps(m: usize) -> Self {
        match m {
            3 => Self::first(4, &[0.0, 0.75, -0.75, 2.0]),
            4 => Self::first(5, &[0.0, 2.0 / 3.0, -2.0 / 3.0, 1.5, -1.5]),
            _ => Self::first(m + 1, &[0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5]),
        }
    }

    /// The best of all small fractions too: half the error of 0, ±1, 2 and of 0, ±1, ±2.
    pub(super) const fn of_two_taps(m: usize) -> Self {
        match m {
            4 => Self::first(4, &[0.5, -0.5, 1.25, -1.25]),
            _ => Self::first(m, &[0.0, 2.0 / 3.0, -2.0 / 3.0, 1.5, -1.5]),
        }
    }

    const fn first(count: usize, points: &[f64]) -> Self {
        let mut all = [0.0; MOST];
        let mut i = 0;
        while i < count {
            all[i] = points[i];
            i += 1;
        }
        Self { points: all, count }
    }

    /// Bᵀ of as many rows and columns as there are points, infinity included.
    pub(super) const fn data(&self) -> Matrix {
        let mut rows = [[0.0; MOST]; MOST];
        let mut i = 0;
        while i <= self.count {
            rows[i] = self.product_without(i);
            i += 1;
        }
        rows
    }

    /// G.
    pub(super) const fn filter(&self, taps: usize) -> Matrix {
        let mut rows = self.powers(taps);
        let mut i = 0;
        while i < self.count {
            let (mut factor, mut j) = (1.0, 0);
            while j < self.count {
                if j != i {
                    factor *= self.points[i] - self.points[j];
                }
                j += 1;
            }
            let mut k = 0;
            while k < taps {
                rows[i][k] /= factor;
                k += 1;
            }
            i += 1;
        }
        rows
    }

    /// The coefficients of `Π_{j≠i} (x − p_j)`, the lowest first.
    const fn product_without(&self, i: usize) -> [f64; MOST] {
        let mut coefficients = [0.0; MOST];
        coefficients[0] = 1.0;
        let mut j = 0;
        while j < self.count {
            if j != i {
                let mut k = MOST - 1;
                while k > 0 {
                    coefficients[k] = coefficients[k - 1] - self.points[j] * coefficients[k];
                    k -= 1;
                }
                coefficients[0] *= -self.points[j];
            }
            j += 1;
        }
        coefficients
    }

    /// `p_iᵏ` for k below `columns`; at infinity only the highest power counts.
    pub(super) const fn powers(&self, columns: usize) -> Matrix {
        let mut rows = [[0.0; MOST]; MOST];
        let mut i = 0;
        while i < self.count {
            let (mut power, mut k) = (1.0, 0);
            while k < columns {
                rows[i][k] = power;
                power *= self.points[i];
                k += 1;
            }
            i += 1;
        }
        rows[self.count][columns - 1] = 1.0;
        rows
    }
}
