//! Arithmetic on single numbers of equally long slices, and sums down the columns of a matrix.

use crate::column_sums::{BLOCK, RowChunks, join, lanes};
use crate::parts::{PART, for_each_part};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::{Cpu, Element};

per_element! {
    /// `y = a + b`.
    ///
    /// # Panics
    /// When the slices are not equally long; so do all functions here.
    pub fn add[E](cpu: &Cpu, a: &[E], b: &[E], y: &mut [E]) {
        binary(cpu, a, b, y, add_part);
    }
}

/// `y = a · b`.
pub fn multiply(cpu: &Cpu, a: &[f32], b: &[f32], y: &mut [f32]) {
    binary(cpu, a, b, y, multiply_part);
}

per_element! {
    /// `y = max(a + b, 0)`: the end of a residual block. NaN stays NaN. The gradient is that of relu, to both sides.
    pub fn add_relu[E](cpu: &Cpu, a: &[E], b: &[E], y: &mut [E]) {
        binary(cpu, a, b, y, add_relu_part);
    }
}

per_element! {
    /// The gradient of [`add_relu`]'s sides where two readers of its result y give one each: `dx = a + b` where y is above
    /// zero, else 0.
    pub fn add_relu_backward[E](cpu: &Cpu, y: &[E], a: &[E], b: &[E], dx: &mut [E]) {
        assert!([y, a, b].iter().all(|slice| slice.len() == dx.len()), "output and gradients are equally long");
        for_each_part(cpu, PART, [dx], |range, [dx]| {
            add_relu_backward_part(cpu, &y[range.clone()], &a[range.clone()], &b[range], dx);
        });
    }
}

per_element! {
    /// [`add_relu_backward`], over one of the gradients.
    pub fn add_relu_backward_in_place[E](cpu: &Cpu, y: &[E], a_dx: &mut [E], b: &[E]) {
        assert!(y.len() == a_dx.len() && b.len() == a_dx.len(), "output and gradients are equally long");
        for_each_part(cpu, PART, [a_dx], |range, [a_dx]| {
            add_relu_backward_in_place_part(cpu, &y[range.clone()], a_dx, &b[range]);
        });
    }
}

per_element! {
    /// `a += b`.
    pub fn add_in_place[E](cpu: &Cpu, a_y: &mut [E], b: &[E]) {
        assert_eq!(a_y.len(), b.len(), "what is added is as long as what it is added to");
        for_each_part(cpu, PART, [a_y], |range, [a]| add_in_place_part(cpu, a, &b[range]));
    }
}

/// `y += s · x`: gradients of several small batches.
pub fn accumulate(cpu: &Cpu, s: f32, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "what is accumulated is as long as what it is added to");
    for_each_part(cpu, PART, [y], |range, [y]| accumulate_part(cpu, s, &x[range], y));
}

/// `y = s · x`.
pub fn scale(cpu: &Cpu, s: f32, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "input and output are equally long");
    for_each_part(cpu, PART, [y], |range, [y]| scale_part(cpu, s, &x[range], y));
}

/// `x *= s`.
pub fn scale_in_place(cpu: &Cpu, s: f32, x: &mut [f32]) {
    for_each_part(cpu, PART, [x], |_, [x]| scale_in_place_part(cpu, s, x));
}

per_element! {
    /// `y = s` everywhere.
    pub fn fill[E](cpu: &Cpu, s: f32, y: &mut [E]) {
        for_each_part(cpu, PART, [y], |_, [y]| y.fill(E::from_f32(s)));
    }
}

per_element! {
    /// `y = x`.
    pub fn copy[E](cpu: &Cpu, x: &[E], y: &mut [E]) {
        assert_eq!(x.len(), y.len(), "input and output are equally long");
        for_each_part(cpu, PART, [y], |range, [y]| y.copy_from_slice(&x[range]));
    }
}

/// Words of workspace that [`sum_rows`] needs.
pub fn sum_rows_workspace(rows: usize, columns: usize) -> usize {
    RowChunks::new(rows, columns).workspace(columns)
}

per_element! {
    /// `sums[c] = Σ_r x[r][c]`: the gradient of a bias. Blocks of 32 rows in f32, the rest in f64.
    pub fn sum_rows[E](cpu: &Cpu, rows: usize, columns: usize, x: &[E], sums: &mut [f32], workspace: &mut [f32]) {
        assert_eq!(x.len(), rows * columns, "x is rows × columns");
        assert_eq!(sums.len(), columns, "one sum a column");
        let chunks = RowChunks::new(rows, columns);
        let totals = chunks.sum(cpu, columns, workspace, |rows, sums| {
            sum_rows_part(cpu, columns, &x[rows.start * columns..rows.end * columns], sums);
        });
        for (sum, total) in sums.iter_mut().zip(totals) {
            *sum = *total as f32;
        }
    }
}

fn binary<E: Element>(cpu: &Cpu, a: &[E], b: &[E], y: &mut [E], part: impl Fn(&Cpu, &[E], &[E], &mut [E]) + Sync) {
    assert!(a.len() == y.len() && b.len() == y.len(), "inputs and output are equally long");
    for_each_part(cpu, PART, [y], |range, [y]| part(cpu, &a[range.clone()], &b[range], y));
}

per_level! {
    fn add_relu_backward_part[E: Element](y: &[E], a: &[E], b: &[E], dx: &mut [E]) {
        for (((dx, y), a), b) in dx.iter_mut().zip(y).zip(a).zip(b) {
            let sum = a.to_f32() + b.to_f32();
            *dx = E::from_f32(if y.to_f32() <= 0.0 { 0.0 } else { sum });
        }
    }
}

per_level! {
    fn add_relu_backward_in_place_part[E: Element](y: &[E], a_dx: &mut [E], b: &[E]) {
        for ((dx, y), b) in a_dx.iter_mut().zip(y).zip(b) {
            let sum = dx.to_f32() + b.to_f32();
            *dx = E::from_f32(if y.to_f32() <= 0.0 { 0.0 } else { sum });
        }
    }
}

per_level! {
    fn add_part[E: Element](a: &[E], b: &[E], y: &mut [E]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = E::from_f32(a.to_f32() + b.to_f32());
        }
    }
}

per_level! {
    fn multiply_part(a: &[f32], b: &[f32], y: &mut [f32]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = a * b;
        }
    }
}

per_level! {
    fn add_relu_part[E: Element](a: &[E], b: &[E], y: &mut [E]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            let sum = a.to_f32() + b.to_f32();
            *y = E::from_f32(if sum < 0.0 { 0.0 } else { sum });
        }
    }
}

per_level! {
    fn add_in_place_part[E: Element](a: &mut [E], b: &[E]) {
        for (a, b) in a.iter_mut().zip(b) {
            *a = E::from_f32(a.to_f32() + b.to_f32());
        }
    }
}

per_level! {
    fn accumulate_part(s: f32, x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += s * x;
        }
    }
}

per_level! {
    fn scale_part(s: f32, x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = s * x;
        }
    }
}

per_level! {
    fn scale_in_place_part(s: f32, x: &mut [f32]) {
        for x in x {
            *x *= s;
        }
    }
}

per_level! {
    fn sum_rows_part[E: Element](columns: usize, x: &[E], sums: &mut [f64]) {
        for block in x.chunks(BLOCK * columns) {
            let mut column = 0;
            while column + 32 <= columns {
                sum_strip::<E, 32>(block, columns, column, sums);
                column += 32;
            }
            while column + 8 <= columns {
                sum_strip::<E, 8>(block, columns, column, sums);
                column += 8;
            }
            while column < columns {
                sum_strip::<E, 1>(block, columns, column, sums);
                column += 1;
            }
        }
    }
}

#[inline(always)]
fn sum_strip<E: Element, const L: usize>(block: &[E], columns: usize, column: usize, sums: &mut [f64]) {
    let mut strip = [0.0; L];
    for row in block.chunks_exact(columns) {
        let x: [f32; L] = lanes(row, column);
        for lane in 0..L {
            strip[lane] += x[lane];
        }
    }
    join(&mut sums[column..], &strip);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{LENGTHS, assert_agrees, everywhere, exact, noise};
    use crate::reference;

    #[test]
    fn arithmetic_agrees_with_the_references() {
        for &len in LENGTHS {
            let (a, b) = (noise(len, 1), noise(len, 2));
            let with = |f: fn(&Cpu, &[f32], &[f32], &mut [f32])| {
                everywhere("arithmetic", |cpu| {
                    let mut y = vec![f32::NAN; len];
                    f(cpu, &a, &b, &mut y);
                    [y]
                })
            };
            let (wide_a, wide_b) = (exact(&a), exact(&b));
            assert_agrees("add", &with(add)[0], &reference::add(&wide_a, &wide_b));
            assert_agrees("multiply", &with(multiply)[0], &reference::multiply(&wide_a, &wide_b));
            assert_agrees("add_relu", &with(add_relu)[0], &reference::add_relu(&wide_a, &wide_b));
            let sum = with(|cpu, a, b, y| {
                copy(cpu, a, y);
                add_in_place(cpu, y, b);
            });
            assert_agrees("add_in_place", &sum[0], &reference::add(&wide_a, &wide_b));
            let scaled = with(|cpu, a, _, y| scale(cpu, -0.3, a, y));
            let in_place = with(|cpu, a, _, y| {
                y.copy_from_slice(a);
                scale_in_place(cpu, -0.3, y);
            });
            assert!(in_place == scaled, "scaled in place");
            let want = reference::scale(f64::from(-0.3_f32), &wide_a);
            assert_agrees("scale", &scaled[0], &want);
            let accumulated = with(|cpu, a, b, y| {
                copy(cpu, b, y);
                accumulate(cpu, -0.3, a, y);
            });
            assert_agrees("accumulate", &accumulated[0], &reference::add(&wide_b, &want));
            assert!(with(|cpu, _, _, y| fill(cpu, 7.0, y))[0].iter().all(|&y| y == 7.0));
        }
    }

    #[test]
    fn a_sum_of_gradients_goes_where_the_result_was_above_zero() {
        for &len in LENGTHS {
            let [mut y, a, b] = [1, 2, 3].map(|salt| noise(len, salt));
            y.iter_mut().step_by(3).for_each(|y| *y = 0.0);
            let [dx, in_place] = everywhere("add_relu_backward", |cpu| {
                let (mut dx, mut in_place) = (vec![f32::NAN; len], a.clone());
                add_relu_backward(cpu, &y, &a, &b, &mut dx);
                add_relu_backward_in_place(cpu, &y, &mut in_place, &b);
                [dx, in_place]
            });
            assert_eq!(dx, in_place);
            assert!((0..len).all(|i| dx[i] == if y[i] > 0.0 { a[i] + b[i] } else { 0.0 }));
        }
    }

    #[test]
    fn add_relu_keeps_nan_and_infinity() {
        let [y] = everywhere("ends", |cpu| {
            let mut y = vec![0.0; 4];
            let a = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0];
            add_relu(cpu, &a, &[1.0, 1.0, 1.0, 0.0], &mut y);
            [y]
        });
        assert!(y[0].is_nan());
        assert_eq!(y[1..], [f32::INFINITY, 0.0, 0.0]);
    }

    #[test]
    fn columns_add_up_whatever_the_shape() {
        for (rows, columns) in
            [(0, 3), (1, 1), (1, 33), (31, 7), (33, 8), (257, 9), (1031, 41), (20_011, 5), (97, 1000), (3, 0)]
        {
            // Far from zero: sums of many rows lose digits if they are careless.
            let x: Vec<f32> = noise(rows * columns, 3).iter().map(|x| x + 10.0).collect();
            let [sums] = everywhere("sum_rows", |cpu| {
                let mut sums = vec![f32::NAN; columns];
                // From an odd word on: an f64 does not start there.
                let mut workspace = vec![f32::NAN; sum_rows_workspace(rows, columns) + 1];
                sum_rows(cpu, rows, columns, &x, &mut sums, &mut workspace[1..]);
                [sums]
            });
            assert_agrees(&format!("{rows} × {columns}"), &sums, &reference::sum_rows(columns, &exact(&x)));
        }
    }
}
