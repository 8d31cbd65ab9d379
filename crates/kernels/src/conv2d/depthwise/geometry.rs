//! Which places of the source a place of the target is made from.
//!
//! Forward, the target is y and the source x; for the gradient of the input the target is dx and the source dy, and the
//! relation is turned round: `x = y · stride + tap - padding` in both.

use super::super::Conv2dShape;

/// Rows of the source that a row of the target is made from, and the rows of the kernel they are multiplied with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub(super) count: usize,
    /// The first of the source, and from one to the next.
    pub(super) source: usize,
    pub(super) source_step: isize,
    /// The first of the kernel, and from one to the next.
    pub(super) tap: usize,
    pub(super) tap_step: usize,
}

impl Rows {
    /// Those of x for a row of y.
    pub(super) fn of_output(shape: &Conv2dShape, oy: usize) -> Self {
        let (start, padding, kernel) = (oy * shape.stride[0], shape.padding[0], shape.kernel[0]);
        let tap = padding.saturating_sub(start).min(kernel);
        let end = (shape.height + padding).saturating_sub(start).min(kernel);
        let source = (start + tap).saturating_sub(padding);
        Self { count: end.saturating_sub(tap), source, source_step: 1, tap, tap_step: 1 }
    }

    /// Whether they are rows of a source and a kernel of these heights.
    pub(super) fn fit(&self, source_height: usize, kernel_height: usize) -> bool {
        let Some(last) = self.count.checked_sub(1) else { return true };
        let source = self.source.checked_add_signed(last as isize * self.source_step);
        let highest = source.map(|source| source.max(self.source));
        highest.is_some_and(|row| row < source_height) && self.tap + last * self.tap_step < kernel_height
    }

    /// Those of dy for a row of dx: every stride-th row of the kernel, while the row of dy, which falls by one from one
    /// to the next, exists.
    pub(super) fn of_input(shape: &Conv2dShape, iy: usize) -> Self {
        let (place, stride, out) = (iy + shape.padding[0], shape.stride[0], shape.out_height());
        let source = (place / stride).min(out - 1);
        let tap = place - source * stride;
        let end = shape.kernel[0].min(place + 1);
        Self { count: end.saturating_sub(tap).div_ceil(stride), source, source_step: -1, tap, tap_step: stride }
    }
}

/// Which of `count` places from `first` on lie inside `0..len`, as bits.
pub(super) fn inside(first: isize, count: usize, len: usize) -> u32 {
    let place = |end: isize| end.clamp(0, count as isize) as u32;
    (1 << place(len as isize - first)) - (1 << place(-first))
}

/// `count` bits.
pub(super) const fn all(count: usize) -> u32 {
    (1 << count) - 1
}

/// Columns of the source that a tile of `T` columns of the target meets. Transposed (from dy to dx), a tile starts
/// where the first tap of a column of dy meets it.
pub(super) const fn columns<const K: usize, const S: usize, const T: usize, const TRANSPOSED: bool>() -> usize {
    if TRANSPOSED { T.div_ceil(S) + (K - 1) / S } else { (T - 1) * S + K }
}

/// The tap by which column `source` of a tile's source meets column `target` of the tile; `K` or more: by none.
#[inline(always)]
pub(super) const fn tap<const K: usize, const S: usize, const TRANSPOSED: bool>(source: usize, target: usize) -> usize {
    if TRANSPOSED { (target + (K - 1) / S * S).wrapping_sub(source * S) } else { source.wrapping_sub(target * S) }
}

/// Repeats a block for every column below a number known at compile time, 19 at most (kernel 7, stride 2, tile 7).
/// The compiler leaves the loop rolled where a column is met by many taps, and then sums go through memory: 5×5 was
/// three times slower.
macro_rules! for_each_column {
    ($column:ident < $columns:expr => $block:block) => {
        for_each_column!(@ $column $columns, $block; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18)
    };
    (@ $column:ident $columns:expr, $block:block; $($number:literal)*) => {
        const { assert!($columns <= 19) };
        $(if $number < $columns {
            let $column: usize = $number;
            $block
        })*
    };
}

pub(super) use for_each_column;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_tell_what_lies_inside() {
        for (first, count, len, want) in [
            (0, 3, 3, 0b111),
            (-1, 3, 3, 0b110),
            (2, 3, 3, 0b001),
            (3, 3, 3, 0),
            (9, 3, 3, 0),
            (-5, 3, 3, 0),
            (-2, 7, 1, 0b100),
        ] {
            assert_eq!(inside(first, count, len), want, "{first} {count} {len}");
        }
    }

    /// Every pair of rows that a tap joins is told once, from both sides.
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
            let told = |rows: Rows| {
                (0..rows.count)
                    .map(move |i| (rows.source as isize + i as isize * rows.source_step, rows.tap + i * rows.tap_step))
            };
            for oy in 0..shape.out_height() {
                let want = (0..kernel).map(|tap| ((oy * stride + tap) as isize - padding as isize, tap));
                let want: Vec<_> = want.filter(|&(y, _)| (0..height as isize).contains(&y)).collect();
                assert_eq!(told(Rows::of_output(&shape, oy)).collect::<Vec<_>>(), want, "{shape:?} {oy}");
            }
            for iy in 0..height {
                let meets = |tap: usize| (0..shape.out_height()).find(|oy| oy * stride + tap == iy + padding);
                let want: Vec<_> = (0..kernel).filter_map(|tap| Some((meets(tap)? as isize, tap))).collect();
                assert_eq!(told(Rows::of_input(&shape, iy)).collect::<Vec<_>>(), want, "{shape:?} {iy}");
            }
        }
    }
}
