//! Rows of two tensors joined, and taken apart again.

use crate::Cpu;
use crate::parts::{PART, for_each_pair, for_each_part};
use crate::per_element::per_element;

per_element! {
    /// Every row of `y` is one of `a` and then one of `b`, of so many columns.
    ///
    /// # Panics
    /// When a row is empty, or the slices have not equally many rows.
    pub fn concat[E](cpu: &Cpu, columns: [usize; 2], a: &[E], b: &[E], y: &mut [E]) {
        let row = row_of(columns, [a.len(), b.len(), y.len()]);
        let rows = (PART / row).max(1);
        for_each_part(cpu, rows * row, [y], |range, [y]| {
            let first = range.start / row;
            let parts = a[first * columns[0]..].chunks_exact(columns[0]).zip(b[first * columns[1]..].chunks_exact(columns[1]));
            for (y, (a, b)) in y.chunks_exact_mut(row).zip(parts) {
                let (left, right) = y.split_at_mut(columns[0]);
                left.copy_from_slice(a);
                right.copy_from_slice(b);
            }
        });
    }
}

per_element! {
    /// Gives [`concat()`]'s rows back: its gradient.
    ///
    /// # Panics
    /// As [`concat()`].
    pub fn split[E](cpu: &Cpu, columns: [usize; 2], y: &[E], a: &mut [E], b: &mut [E]) {
        let row = row_of(columns, [a.len(), b.len(), y.len()]);
        let rows = (PART / row).max(1);
        for_each_pair(cpu, (a, rows * columns[0]), (b, rows * columns[1]), |number, a, b| {
            let parts = a.chunks_exact_mut(columns[0]).zip(b.chunks_exact_mut(columns[1]));
            for (y, (a, b)) in y[number * rows * row..].chunks_exact(row).zip(parts) {
                let (left, right) = y.split_at(columns[0]);
                a.copy_from_slice(left);
                b.copy_from_slice(right);
            }
        });
    }
}

/// Columns of a joined row.
fn row_of(columns: [usize; 2], [a, b, y]: [usize; 3]) -> usize {
    let row = columns[0] + columns[1];
    assert!(!columns.contains(&0), "a part of a row is not empty: {columns:?}");
    assert!(y.is_multiple_of(row), "whole rows of {row}: {y}");
    let rows = y / row;
    assert!(a == rows * columns[0] && b == rows * columns[1], "{rows} rows of {columns:?}: {a} and {b}");
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{assert_agrees, everywhere, exact, noise};
    use crate::reference;

    /// Rows, and the columns of both sides: one, around vectors, more than a part.
    const CASES: &[(usize, [usize; 2])] =
        &[(1, [1, 1]), (0, [3, 2]), (7, [1, 16]), (63, [17, 15]), (1031, [64, 33]), (3, [20_011, 5]), (2, [7, 16_384])];

    #[test]
    fn joining_and_parting_agree_with_the_references() {
        for &(rows, columns) in CASES {
            let case = format!("{rows} rows of {columns:?}");
            let (a, b) = (noise(rows * columns[0], 1), noise(rows * columns[1], 2));
            let [y, left, right] = everywhere(&case, |cpu| {
                let mut y = vec![f32::NAN; a.len() + b.len()];
                let (mut left, mut right) = (vec![f32::NAN; a.len()], vec![f32::NAN; b.len()]);
                concat(cpu, columns, &a, &b, &mut y);
                split(cpu, columns, &y, &mut left, &mut right);
                [y, left, right]
            });
            let want = reference::concat(columns, &exact(&a), &exact(&b));
            assert_agrees(&case, &y, &want);
            assert_eq!((left, right), (a, b), "{case}");
            let [left, right] = reference::split(columns, &want);
            assert_eq!(reference::concat(columns, &left, &right), want, "{case}");
        }
    }

    #[test]
    #[should_panic(expected = "whole rows of 5")]
    fn rows_must_be_whole() {
        concat::<f32>(&Cpu::new(1, crate::Level::Scalar), [2, 3], &[0.0; 2], &[0.0; 3], &mut [0.0; 6]);
    }
}
