//! The two passes, over the part of the scaled picture that is wanted.

use std::ops::Range;

use avizor_base::{Filter, ImageSize};
use avizor_kernels::resample::{Resample, Taps};

use super::coefficients::{Axis, CoefficientCache};
use super::extent::Span;
use crate::Picture;

/// The part of a scaled picture that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Height and width of the scaled picture, which may be longer than any picture is when only a part is made.
    pub(super) scaled: [u64; 2],
    /// First row of the part.
    pub(super) top: usize,
    /// First column of the part.
    pub(super) left: usize,
    /// Of the part.
    pub(super) size: ImageSize,
}

impl Window {
    /// All of it.
    pub(super) fn whole(size: ImageSize) -> Self {
        Self { scaled: [size.height().into(), size.width().into()], top: 0, left: 0, size }
    }
}

/// The kernels, and what is kept from one picture to the next.
#[derive(Debug, Default)]
pub(super) struct Passes {
    kernels: Resample,
    coefficients: CoefficientCache,
    /// The picture between the two passes.
    between: Vec<u8>,
}

impl Passes {
    /// Scales and writes the window to `output`, which has its size.
    ///
    /// The horizontal pass goes first; only the rows that the second needs are made. Pillow 13 goes vertically first when
    /// the height shrinks and does so by more than twice what the width shrinks by (python-pillow/Pillow#9524, #9549; the
    /// rule was found by probing). Clipping between the passes makes the order visible.
    pub(super) fn run(
        &mut self,
        picture: &Picture,
        spans: [Span; 2],
        window: Window,
        filter: Filter,
        output: &mut [u8],
    ) {
        let Self { kernels, coefficients, between } = self;
        let kernels = *kernels;
        let (height, width) = (picture.size().height(), picture.size().width());
        let [scaled_height, scaled_width] = window.scaled;
        let (out_height, out_width) = (window.size.height() as usize, window.size.width() as usize);
        let axis = |from, span, to, first, count| Axis { from, span, to, first, count };
        let [vertical_span, horizontal_span] = spans;
        let [columns, rows] = coefficients.pair(
            axis(width, horizontal_span, scaled_width, window.left, out_width),
            axis(height, vertical_span, scaled_height, window.top, out_height),
            filter,
        );
        let source = Plane { bytes: picture.pixels(), stride: picture.row_bytes(), first_row: 0, first_column: 0 };
        let lost = |from: u32, to: u64| i64::from(from) - to as i64;
        let lost_height = lost(height, scaled_height);
        if lost_height > 0 && lost_height > 2 * lost(width, scaled_width) {
            let needed = columns.needed();
            between.resize(3 * needed.len() * out_height, 0);
            vertical(source, needed.clone(), rows, kernels, between);
            let middle = Plane { bytes: between, stride: 3 * needed.len(), first_row: 0, first_column: needed.start };
            horizontal(middle, 0..out_height, columns, kernels, output);
        } else {
            let needed = rows.needed();
            between.resize(3 * out_width * needed.len(), 0);
            horizontal(source, needed.clone(), columns, kernels, between);
            let middle = Plane { bytes: between, stride: 3 * out_width, first_row: needed.start, first_column: 0 };
            vertical(middle, 0..out_width, rows, kernels, output);
        }
    }
}

/// Rows of RGB pixels, and which row and column of the picture the first are.
#[derive(Clone, Copy)]
struct Plane<'a> {
    bytes: &'a [u8],
    stride: usize,
    first_row: usize,
    first_column: usize,
}

impl<'a> Plane<'a> {
    fn row(self, y: usize) -> &'a [u8] {
        &self.bytes[(y - self.first_row) * self.stride..][..self.stride]
    }
}

/// Scales the rows `wanted` along the columns.
fn horizontal(source: Plane<'_>, wanted: Range<usize>, columns: &Taps, kernels: Resample, output: &mut [u8]) {
    let needed = columns.needed();
    let bytes = 3 * (needed.start - source.first_column)..3 * (needed.end - source.first_column);
    for (y, output) in wanted.zip(output.chunks_exact_mut(3 * columns.len())) {
        kernels.along_row(columns, &source.row(y)[bytes.clone()], output);
    }
}

/// Scales the columns `wanted` along the rows.
fn vertical(source: Plane<'_>, wanted: Range<usize>, rows: &Taps, kernels: Resample, output: &mut [u8]) {
    let start = 3 * (wanted.start - source.first_column);
    for (y, output) in output.chunks_exact_mut(3 * wanted.len()).enumerate() {
        let (first, weights) = rows.of(y);
        let place = (first - source.first_row) * source.stride + start;
        kernels.down_columns(weights, &source.bytes[place..], source.stride, output);
    }
}
