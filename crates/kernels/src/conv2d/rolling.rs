//! Rows of a map on their way through a core's cache.

use std::ops::Range;

use super::Conv2dShape;

/// Some rows of a map, which move down it: those that were there already stay.
pub(super) struct RollingRows<'r> {
    rows: &'r mut [f32],
    row_len: usize,
    have: Range<usize>,
}

impl<'r> RollingRows<'r> {
    /// None yet, in memory for the most that are asked for at once.
    pub(super) fn new(rows: &'r mut [f32], row_len: usize) -> Self {
        Self { rows, row_len, have: 0..0 }
    }

    /// Holds certain rows, of which `make` makes those that are not there, and gives them.
    pub(super) fn hold(&mut self, need: Range<usize>, make: impl FnOnce(Range<usize>, &mut [f32])) -> &[f32] {
        let known = need.start.max(self.have.start)..need.end.min(self.have.end);
        let known = if known.is_empty() || known.start > need.start { need.start..need.start } else { known };
        if !known.is_empty() {
            let from = (known.start - self.have.start) * self.row_len;
            self.rows.copy_within(from..from + known.len() * self.row_len, 0);
        }
        if known.end < need.end {
            make(known.end..need.end, &mut self.rows[known.len() * self.row_len..need.len() * self.row_len]);
        }
        self.have = need.clone();
        &self.rows[..need.len() * self.row_len]
    }
}

/// The rows of a picture that some rows of a convolution's output are made from.
pub(super) fn rows_of_outputs(shape: &Conv2dShape, outputs: &Range<usize>) -> Range<usize> {
    if outputs.is_empty() {
        return 0..0;
    }
    let start = (outputs.start * shape.stride[0]).saturating_sub(shape.padding[0]).min(shape.height);
    let end = ((outputs.end - 1) * shape.stride[0] + shape.kernel[0]).saturating_sub(shape.padding[0]);
    start..end.clamp(start, shape.height)
}

/// The rows of a convolution's output that some rows of the picture are met by.
pub(super) fn rows_of_inputs(shape: &Conv2dShape, inputs: &Range<usize>) -> Range<usize> {
    if inputs.is_empty() {
        return 0..0;
    }
    let (stride, padding, out) = (shape.stride[0], shape.padding[0], shape.out_height());
    let start = (inputs.start + padding + 1).saturating_sub(shape.kernel[0]).div_ceil(stride).min(out);
    let end = (inputs.end - 1 + padding) / stride + 1;
    start..end.clamp(start, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_there_are_not_made_again() {
        let mut memory = [0.0; 8];
        let mut rolling = RollingRows::new(&mut memory, 2);
        let mut made = Vec::new();
        for need in [0..2, 1..4, 1..4, 3..5, 0..1, 7..7, 6..8, 5..7] {
            let rows = rolling.hold(need.clone(), |rows, to| {
                made.push(rows.clone());
                let numbers = rows.flat_map(|row| [row as f32, 0.5]);
                to.iter_mut().zip(numbers).for_each(|(to, number)| *to = number);
            });
            let want: Vec<f32> = need.flat_map(|row| [row as f32, 0.5]).collect();
            assert_eq!(rows, want);
        }
        assert_eq!(made, [0..2, 2..4, 4..5, 0..1, 6..8, 5..7]);
    }

    #[test]
    fn rows_of_both_sides_are_those_that_taps_join() {
        for (height, kernel, stride, padding) in
            [(1, 1, 1, 0), (5, 3, 1, 1), (7, 3, 2, 1), (3, 5, 2, 4), (2, 3, 1, 5), (6, 2, 4, 0), (4, 7, 3, 6)]
        {
            let shape = Conv2dShape {
                batch: 1,
                height,
                width: 1,
                in_channels: 1,
                out_channels: 1,
                kernel: [kernel, 1],
                stride: [stride, 1],
                padding: [padding, 0],
                trailing: [0, 0],
                groups: 1,
            };
            let joined = |y: usize, x: usize| (0..kernel).any(|tap| y * stride + tap == x + padding);
            for y in 0..shape.out_height() {
                let rows = rows_of_outputs(&shape, &(y..y + 1));
                assert!((0..height).all(|x| rows.contains(&x) == joined(y, x)), "{shape:?} {y}: {rows:?}");
            }
            for x in 0..height {
                let rows = rows_of_inputs(&shape, &(x..x + 1));
                let met = (0..shape.out_height()).all(|y| !joined(y, x) || rows.contains(&y));
                assert!(met, "{shape:?} {x}: {rows:?}");
            }
        }
    }
}
