//! Packing of right factors into panels.

use crate::Element;
use crate::floats::{join, pair, widen};

/// Packs a panel from a matrix whose rows lie one after the other: `panel[i][j] = row(i)[j]`.
///
/// `row` gives the numbers of a row that belong to this panel: `width`, or fewer in the last one, which is filled up
/// with zeros.
pub(crate) fn pack_rows<'m, E: Element>(panel: &mut [f32], width: usize, row: impl Fn(usize) -> &'m [E]) {
    // The widths of the table: a copy of known length is two loads and stores, not a call.
    match width {
        4 => pack_rows_of::<E, 4>(panel, row),
        8 => pack_rows_of::<E, 8>(panel, row),
        16 => pack_rows_of::<E, 16>(panel, row),
        32 => pack_rows_of::<E, 32>(panel, row),
        48 => pack_rows_of::<E, 48>(panel, row),
        64 => pack_rows_of::<E, 64>(panel, row),
        _ => unreachable!("no kernel has panels of {width} columns"),
    }
}

/// Numbers that are copied at once.
const PART: usize = 16;

fn pack_rows_of<'m, E: Element, const W: usize>(panel: &mut [f32], row: impl Fn(usize) -> &'m [E]) {
    for (i, to) in panel.as_chunks_mut::<W>().0.iter_mut().enumerate() {
        let from = row(i);
        match <&[E; W]>::try_from(from) {
            // By parts that are a few instructions each: of all at once the compiler makes a call.
            Ok(whole) => {
                let (parts, rest) = (to.as_chunks_mut::<PART>(), whole.as_chunks::<PART>());
                parts.0.iter_mut().zip(rest.0).for_each(|(to, from)| widen(from, to));
                widen(rest.1, parts.1);
            }
            Err(_) => {
                widen(from, to);
                to[from.len()..].fill(0.0);
            }
        }
    }
}

/// Packs a panel from the rows of its transpose: `panel[i][j] = column(j)[i]` for the `columns` that exist, zero for
/// the rest of the width.
pub(crate) fn pack_transposed<'m>(
    panel: &mut [f32],
    width: usize,
    columns: usize,
    column: impl Fn(usize) -> &'m [f32],
) {
    /// A cache line of each column at a time.
    const LINE: usize = 16;
    for (line, to) in panel.chunks_mut(LINE * width).enumerate() {
        let rows = to.len() / width;
        if columns < width {
            to.fill(0.0);
        }
        for j in 0..columns {
            let from = &column(j)[line * LINE..][..rows];
            for (to, &from) in to[j..].iter_mut().step_by(width).zip(from) {
                *to = from;
            }
        }
    }
}

/// [`pack_rows`] of rounded pairs: `panel[i][j]` are both `rows(i)[j]`. A second row that is empty counts as zeros.
pub(crate) fn pack_pairs<'m, E: Element>(panel: &mut [f32], width: usize, rows: impl Fn(usize) -> [&'m [E]; 2]) {
    for (i, to) in panel.chunks_exact_mut(width).enumerate() {
        let [first, second] = rows(i);
        let (to, rest) = to.split_at_mut(first.len());
        join(first, second, to);
        rest.fill(0.0);
    }
}

/// [`pack_transposed`] of rounded pairs: `panel[i][j]` are `column(j)[2i]` and `column(j)[2i + 1]`.
pub(crate) fn pack_transposed_pairs<'m>(
    panel: &mut [f32],
    width: usize,
    columns: usize,
    column: impl Fn(usize) -> &'m [f32],
) {
    panel.fill(0.0);
    for j in 0..columns {
        for (to, numbers) in panel[j..].iter_mut().step_by(width).zip(column(j).as_chunks::<2>().0) {
            *to = pair(numbers[0], numbers[1]);
        }
    }
}
