//! How the windows of a convolution lie in its source, and the padded copies of parts of it that kernels read.

use std::ops::Range;

use super::Conv2dShape;
use crate::floats::{join, widen};
use crate::{Bf16, Element, Floats};

/// One axis: `out` windows of `taps` places, window i starting at place `i · step + origin` of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Places of the source.
    pub(crate) source: usize,
    /// Windows.
    pub(crate) out: usize,
    /// Places of a window.
    pub(crate) taps: usize,
    /// From one window to the next.
    pub(crate) step: usize,
    /// Where the first window starts: before the source where it is padded.
    pub(crate) origin: isize,
}

impl Axis {
    /// Whether every window lies inside the source.
    fn is_inside(&self) -> bool {
        let end = self.origin + ((self.out - 1) * self.step + self.taps) as isize;
        self.origin >= 0 && end <= self.source as isize
    }

    /// From one window to the next in a copy: windows that do not overlap stand side by side there, without what lies
    /// between them.
    fn copy_step(&self) -> usize {
        self.step.min(self.taps)
    }

    /// Places in a copy of `outs` windows.
    fn copy_len(&self, outs: usize) -> usize {
        (outs - 1) * self.copy_step() + self.taps
    }

    /// What a place of a copy that starts with window `first` shows; `None` for padding.
    fn source_of(&self, first: usize, place: usize) -> Option<usize> {
        self.inside(self.place_of(first, place))
    }

    /// As [`source_of`](Self::source_of), where the padding too has places.
    fn place_of(&self, first: usize, place: usize) -> isize {
        let place = if self.taps < self.step {
            (first + place / self.taps) * self.step + place % self.taps
        } else {
            first * self.step + place
        };
        place as isize + self.origin
    }

    /// A place that is not in the padding.
    fn inside(&self, place: isize) -> Option<usize> {
        (0..self.source as isize).contains(&place).then_some(place as usize)
    }
}

/// The windows of all pictures: `rows.out × columns.out` of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(crate) batch: usize,
    pub(crate) rows: Axis,
    pub(crate) columns: Axis,
    /// Channels of a pixel of the source.
    pub(crate) channels: usize,
}

impl Windows {
    /// Those that the forward pass sums over, in x.
    pub(crate) fn of_forward(shape: &Conv2dShape) -> Self {
        let axis = |source, out, i: usize| Axis {
            source,
            out,
            taps: shape.kernel[i],
            step: shape.stride[i],
            origin: -(shape.padding[i] as isize),
        };
        let windows = Self {
            batch: shape.batch,
            rows: axis(shape.height, shape.out_height(), 0),
            columns: axis(shape.width, shape.out_width(), 1),
            channels: shape.in_channels,
        };
        windows.flattened()
    }

    /// Single pixels side by side are one long row: nothing then depends on how they are cut into rows and pictures.
    pub(crate) fn flattened(self) -> Self {
        let plain = |axis: Axis| axis.taps == 1 && axis.step == 1 && axis.origin == 0 && axis.source == axis.out;
        if !(plain(self.rows) && plain(self.columns)) {
            return self;
        }
        let one = Axis { source: 1, out: 1, ..self.rows };
        let pixels = self.batch * self.rows.out * self.columns.out;
        let columns = Axis { source: pixels, out: pixels, ..self.columns };
        Self { batch: 1, rows: one, columns, channels: self.channels }
    }

    /// The first of every two windows of a row. Where a row has an odd number of them, the last one is alone.
    pub(crate) fn paired(self) -> Self {
        let columns = Axis { out: self.columns.out.div_ceil(2), step: 2 * self.columns.step, ..self.columns };
        Self { columns, ..self }
    }

    /// Whether the source can be read as it lies, for no window reaches outside.
    pub(crate) fn are_inside(&self) -> bool {
        self.rows.is_inside() && self.columns.is_inside()
    }

    /// Where a window starts in the source. Only for windows that [are inside](Self::are_inside).
    pub(crate) fn start(&self, row: usize, column: usize) -> usize {
        let (n, oy) = (row / self.rows.out, row % self.rows.out);
        let y = oy * self.rows.step + self.rows.origin as usize;
        let x = column * self.columns.step + self.columns.origin as usize;
        ((n * self.rows.source + y) * self.columns.source + x) * self.channels
    }

    /// Cuts the windows into blocks of about `pixels`: whole rows, or parts of a row where rows are long.
    pub(crate) fn cut(&self, pixels: usize) -> Cut {
        let even = |whole: usize, most: usize| whole.div_ceil(whole.div_ceil(most.max(1)));
        let columns = even(self.columns.out, pixels);
        let all_rows = self.batch * self.rows.out;
        let rows = if columns < self.columns.out { 1 } else { even(all_rows, pixels / columns) };
        Cut { rows, columns, across: self.columns.out.div_ceil(columns), all_rows, all_columns: self.columns.out }
    }

    /// Numbers that a copy of any block of a cut needs at most, at `pitch` numbers a pixel.
    pub(crate) fn copy_len(&self, cut: &Cut, pitch: usize) -> usize {
        // Rows of a block may belong to several pictures; in each the windows reach over its last row's step.
        let pictures = (cut.rows + 2 * self.rows.out - 2) / self.rows.out;
        let step = self.rows.copy_step();
        let rows = cut.rows * step + pictures.min(self.batch) * (self.rows.taps - step);
        rows * self.columns.copy_len(cut.columns) * pitch
    }
}

/// A grid of blocks over all rows (of all pictures, one after the other) and columns of the windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    rows: usize,
    columns: usize,
    across: usize,
    all_rows: usize,
    all_columns: usize,
}

impl Cut {
    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        self.all_rows.div_ceil(self.rows) * self.across
    }

    /// Most pixels of a block.
    pub(crate) fn block_pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// The rows and columns of a block.
    pub(crate) fn block(&self, number: usize) -> Block {
        let (row, column) = (number / self.across * self.rows, number % self.across * self.columns);
        Block {
            rows: row..(row + self.rows).min(self.all_rows),
            columns: column..(column + self.columns).min(self.all_columns),
        }
    }
}

/// A rectangle of windows: rows counted through all pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
}

impl Block {
    /// Windows of the block.
    pub(crate) fn pixels(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}

/// A padded copy of some channels of what a block's windows see: the windows of a picture overlap in it as they do in
/// the source, so it is little larger than its part of the source, not taps times larger as a matrix of windows.
pub(crate) struct WindowCopy<'c> {
    windows: &'c Windows,
    block: &'c Block,
    /// Numbers from one pixel to the next: the channels, or more to keep pixels out of each other's cache sets.
    pitch: usize,
    /// Numbers from one row of pixels to the next.
    row_pitch: usize,
}

impl<'c> WindowCopy<'c> {
    pub(crate) fn new(windows: &'c Windows, block: &'c Block, pitch: usize) -> Self {
        let row_pitch = windows.columns.copy_len(block.columns.len()) * pitch;
        Self { windows, block, pitch, row_pitch }
    }

    /// Numbers from one row of pixels to the next.
    pub(crate) fn row_pitch(&self) -> usize {
        self.row_pitch
    }

    /// Where the windows of each row of the block start; calls `each` with the row's number in the block.
    pub(crate) fn for_each_row(&self, mut each: impl FnMut(usize, usize)) {
        let mut base = 0;
        self.for_each_picture(|first, _, outs| {
            for row in 0..outs.len() {
                each(first + row, (base + row * self.windows.rows.copy_step()) * self.row_pitch);
            }
            base += self.windows.rows.copy_len(outs.len());
        });
    }

    /// From one window of a row to the next.
    pub(crate) fn column_pitch(&self) -> usize {
        self.windows.columns.copy_step() * self.pitch
    }

    /// Fills the copy with these channels of the source; padding is zero.
    pub(crate) fn fill(&self, source: Floats<'_>, channels: Range<usize>, copy: &mut [f32]) {
        match source {
            Floats::F32(source) => self.fill_from(source, channels, copy),
            Floats::Bf16(source) => self.fill_from(source, channels, copy),
        }
    }

    fn fill_from<E: Element>(&self, source: &[E], channels: Range<usize>, copy: &mut [f32]) {
        self.fill_rows(source, copy, |row, to| self.fill_row(row, channels.clone(), to));
    }

    /// Fills the copy of [windows of pairs](Windows::paired): words of what the first window of a pair sees and what the
    /// second does.
    pub(crate) fn fill_pairs(&self, source: &[Bf16], channels: Range<usize>, copy: &mut [f32]) {
        self.fill_rows(source, copy, |row, to| self.fill_row_of_pairs(row, channels.clone(), to));
    }

    /// Fills every row of the copy: with zeros where there is no row of the source.
    fn fill_rows<E>(&self, source: &[E], copy: &mut [f32], mut fill: impl FnMut(&[E], &mut [f32])) {
        let axis = &self.windows.rows;
        let row_len = self.windows.columns.source * self.windows.channels;
        let mut copied_rows = copy.chunks_exact_mut(self.row_pitch);
        self.for_each_picture(|_, picture, outs| {
            let places = axis.copy_len(outs.len());
            for (place, to) in copied_rows.by_ref().take(places).enumerate() {
                match axis.source_of(outs.start, place) {
                    Some(y) => fill(&source[(picture * axis.source + y) * row_len..][..row_len], to),
                    None => to.fill(0.0),
                }
            }
        });
    }

    fn fill_row<E: Element>(&self, row: &[E], channels: Range<usize>, to: &mut [f32]) {
        let axis = &self.windows.columns;
        let first = self.block.columns.start;
        if axis.taps < axis.step {
            for (place, to) in to.chunks_exact_mut(self.pitch).enumerate() {
                match axis.source_of(first, place) {
                    Some(x) => copy_short(&row[x * self.windows.channels..][channels.clone()], to),
                    None => to.fill(0.0),
                }
            }
            return;
        }
        // Windows that touch: one stretch of the source with zeros before and after it.
        let places = to.len() / self.pitch;
        let shift = (first * axis.step) as isize + axis.origin;
        let before = (-shift).clamp(0, places as isize) as usize;
        let end = (axis.source as isize - shift).clamp(before as isize, places as isize) as usize;
        to[..before * self.pitch].fill(0.0);
        to[end * self.pitch..].fill(0.0);
        let to = &mut to[before * self.pitch..end * self.pitch];
        if to.is_empty() {
            return;
        }
        let from = &row[(before as isize + shift) as usize * self.windows.channels..];
        if channels.len() == self.windows.channels && self.pitch == channels.len() {
            match E::as_f32(from) {
                Some(from) => to.copy_from_slice(&from[..to.len()]),
                None => widen(from, to),
            }
            return;
        }
        for (to, from) in to.chunks_exact_mut(self.pitch).zip(from.chunks_exact(self.windows.channels)) {
            copy_short(&from[channels.clone()], to);
        }
    }

    fn fill_row_of_pairs(&self, row: &[Bf16], channels: Range<usize>, to: &mut [f32]) {
        let (axis, all) = (&self.windows.columns, self.windows.channels);
        let (first, places) = (self.block.columns.start, to.len() / self.pitch);
        let next = (axis.step / 2) as isize;
        // Where pairs touch and no channel is left out: one stretch of words.
        let mut whole = 0..0;
        if axis.taps >= axis.step && channels.len() == all && self.pitch == all {
            let start = axis.place_of(first, 0);
            let place = |source: isize| (source - start).clamp(0, places as isize) as usize;
            whole = place(0)..place(axis.source as isize - next);
            if !whole.is_empty() {
                let from = (start + whole.start as isize) as usize;
                let [one, two] = [from, from + next as usize].map(|place| &row[place * all..][..whole.len() * all]);
                join(one, two, &mut to[whole.start * all..whole.end * all]);
            }
        }
        let pixel = |place| axis.inside(place).map_or(&[][..], |x| &row[x * all..][channels.clone()]);
        for (number, to) in to.chunks_exact_mut(self.pitch).enumerate().filter(|(number, _)| !whole.contains(number)) {
            let place = axis.place_of(first, number);
            join(pixel(place), pixel(place + next), &mut to[..channels.len()]);
        }
    }

    /// Calls `each` with the number of the first row in the block, the picture, and its rows of windows.
    fn for_each_picture(&self, mut each: impl FnMut(usize, usize, Range<usize>)) {
        let out = self.windows.rows.out;
        let mut row = self.block.rows.start;
        while row < self.block.rows.end {
            let picture = row / out;
            let end = self.block.rows.end.min((picture + 1) * out);
            each(row - self.block.rows.start, picture, row - picture * out..end - picture * out);
            row = end;
        }
    }
}

/// Copies to the front of `to`: eight numbers at a time, for a call costs more than the few of a pixel.
pub(crate) fn copy_short<E: Element>(from: &[E], to: &mut [f32]) {
    let to = &mut to[..from.len()];
    let ((from, from_rest), (to, to_rest)) = (from.as_chunks::<8>(), to.as_chunks_mut::<8>());
    to.iter_mut().zip(from).for_each(|(to, from)| widen(from, to));
    widen(from_rest, to_rest);
}
