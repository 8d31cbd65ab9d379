//! Arithmetic on single numbers of equally long slices, and sums down the columns of a matrix.

use crate::Cpu;
use crate::column_sums::{BLOCK, RowChunks, join, lanes};
use crate::parts::{PART, for_each_part};
use crate::per_level::per_level;

/// `y = a + b`.
///
/// # Panics
/// When the slices are not equally long; so do all functions here.
pub fn add(cpu: &Cpu, a: &[f32], b: &[f32], y: &mut [f32]) {
    binary(cpu, a, b, y, add_part);
}

/// `y = a · b`.
pub fn multiply(cpu: &Cpu, a: &[f32], b: &[f32], y: &mut [f32]) {
    binary(cpu, a, b, y, multiply_part);
}

/// `y = max(a + b, 0)`: the end of a residual block. NaN stays NaN. The gradient is that of relu, to both sides.
pub fn add_relu(cpu: &Cpu, a: &[f32], b: &[f32], y: &mut [f32]) {
    binary(cpu, a, b, y, add_relu_part);
}

/// `a += b`.
pub fn add_in_place(cpu: &Cpu, a_y: &mut [f32], b: &[f32]) {
    assert_eq!(a_y.len(), b.len(), "what is added is as long as what it is added to");
    for_each_part(cpu, PART, [a_y], |range, [a]| add_in_place_part(cpu, a, &b[range]));
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

/// `y = s` everywhere.
pub fn fill(cpu: &Cpu, s: f32, y: &mut [f32]) {
    for_each_part(cpu, PART, [y], |_, [y]| y.fill(s));
}

/// `y = x`.
pub fn copy(cpu: &Cpu, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "input and output are equally long");
    for_each_part(cpu, PART, [y], |range, [y]| y.copy_from_slice(&x[range]));
}

/// Words of workspace that [`sum_rows`] needs.
pub fn sum_rows_workspace(rows: usize, columns: usize) -> usize {
    RowChunks::new(rows, columns).workspace(columns)
}

/// `sums[c] = Σ_r x[r][c]`: the gradient of a bias. Blocks of 32 rows in f32, the rest in f64.
pub fn sum_rows(cpu: &Cpu, rows: usize, columns: usize, x: &[f32], sums: &mut [f32], workspace: &mut [f32]) {
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

fn binary(cpu: &Cpu, a: &[f32], b: &[f32], y: &mut [f32], part: impl Fn(&Cpu, &[f32], &[f32], &mut [f32]) + Sync) {
    assert!(a.len() == y.len() && b.len() == y.len(), "inputs and output are equally long");
    for_each_part(cpu, PART, [y], |range, [y]| part(cpu, &a[range.clone()], &b[range], y));
}

per_level! {
    fn add_part(a: &[f32], b: &[f32], y: &mut [f32]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = a + b;
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
    fn add_relu_part(a: &[f32], b: &[f32], y: &mut [f32]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            let sum = a + b;
            *y = if sum < 0.0 { 0.0 } else { sum };
        }
    }
}

per_level! {
    fn add_in_place_part(a: &mut [f32], b: &[f32]) {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
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
    fn sum_rows_part(columns: usize, x: &[f32], sums: &mut [f64]) {
        for block in x.chunks(BLOCK * columns) {
            let mut column = 0;
            while column + 32 <= columns {
                sum_strip::<32>(block, columns, column, sums);
                column += 32;
            }
            while column + 8 <= columns {
                sum_strip::<8>(block, columns, column, sums);
                column += 8;
            }
            while column < columns {
                sum_strip::<1>(block, columns, column, sums);
                column += 1;
            }
        }
    }
}

#[inline(always)]
fn sum_strip<const L: usize>(block: &[f32], columns: usize, column: usize, sums: &mut [f64]) {
    let mut strip = [0.0; L];
    for row in block.chunks_exact(columns) {
        let x: [f32; L] = lanes(row, column);
        for lane in 0..L {
            strip[lane] += x[lane];
        }
    }
    join(&mut sums[column..], &strip);
}
