//! The two passes, over the part of the scaled picture that is wanted.

use std::ops::Range;

use avizor_base::{Filter, ImageSize};

use super::coefficients::{Axis, CoefficientCache, Coefficients, PRECISION};
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

/// Scales and writes the window to `output`, which has its size.
///
/// The horizontal pass goes first; only the rows that the second needs are made. Pillow 13 goes vertically first when
/// the height shrinks and does so by more than twice what the width shrinks by (python-pillow/Pillow#9524, #9549; the
/// rule was found by probing). Clipping between the passes makes the order visible.
pub(super) fn run(
    picture: &Picture,
    spans: [Span; 2],
    window: Window,
    filter: Filter,
    cache: &mut CoefficientCache,
    between: &mut Vec<u8>,
    output: &mut [u8],
) {
    let (height, width) = (picture.size().height(), picture.size().width());
    let [scaled_height, scaled_width] = window.scaled;
    let (out_height, out_width) = (window.size.height() as usize, window.size.width() as usize);
    let axis = |from, span, to, first, count| Axis { from, span, to, first, count };
    let [vertical_span, horizontal_span] = spans;
    let [columns, rows] = cache.pair(
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
        vertical(source, needed.clone(), rows, between);
        let middle = Plane { bytes: between, stride: 3 * needed.len(), first_row: 0, first_column: needed.start };
        horizontal(middle, 0..out_height, columns, output);
    } else {
        let needed = rows.needed();
        between.resize(3 * out_width * needed.len(), 0);
        horizontal(source, needed.clone(), columns, between);
        let middle = Plane { bytes: between, stride: 3 * out_width, first_row: needed.start, first_column: 0 };
        vertical(middle, 0..out_width, rows, output);
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

/// Half a unit: the shift at the end then rounds.
const HALF: i32 = 1 << (PRECISION - 1);

fn clip(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Scales the rows `wanted` along the columns.
fn horizontal(source: Plane<'_>, wanted: Range<usize>, columns: &Coefficients, output: &mut [u8]) {
    let width = columns.len();
    for (y, output) in wanted.zip(output.chunks_exact_mut(3 * width)) {
        let row: &[[u8; 3]] = source.row(y).as_chunks().0;
        for (x, output) in output.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (first, values) = columns.of(x);
            let mut sums = [HALF; 3];
            for (pixel, value) in row[first - source.first_column..].iter().zip(values) {
                for channel in 0..3 {
                    sums[channel] += i32::from(pixel[channel]) * value;
                }
            }
            *output = sums.map(clip);
        }
    }
}

/// Scales the columns `wanted` along the rows, a block of columns at a time: its sums then stay in registers.
fn vertical(source: Plane<'_>, wanted: Range<usize>, rows: &Coefficients, output: &mut [u8]) {
    let start = 3 * (wanted.start - source.first_column);
    let bytes = 3 * wanted.len();
    for (y, output) in output.chunks_exact_mut(bytes).enumerate() {
        let (first, values) = rows.of(y);
        let (blocks, rest) = output.as_chunks_mut::<BLOCK>();
        for (index, block) in blocks.iter_mut().enumerate() {
            let place = start + index * BLOCK;
            let taps = values.iter().zip(first..);
            *block = weigh(taps.filter_map(|(value, row)| Some((source.row(row)[place..].first_chunk()?, *value))));
        }
        let place = start + bytes - rest.len();
        for (column, output) in rest.iter_mut().enumerate() {
            let taps = (first..).zip(values);
            let sum: i32 = taps.map(|(row, value)| i32::from(source.row(row)[place + column]) * value).sum();
            *output = clip(HALF + sum);
        }
    }
}

/// Columns of a block: eight registers of four sums at the lowest level.
const BLOCK: usize = 16;

/// `clip(½ + Σ value · samples)` over the taps.
///
/// A value of 23 bits and a sign is cut in two parts of 16 bits, whose products the lowest level of x86-64 has one
/// instruction for; its 32-bit products take six. The sums are the same to the last bit.
fn weigh<'a>(taps: impl Iterator<Item = (&'a [u8; BLOCK], i32)>) -> [u8; BLOCK] {
    const LOW: u32 = 12;
    let (mut high_sums, mut low_sums) = ([0i32; BLOCK], [HALF; BLOCK]);
    for (samples, value) in taps {
        // The high part of a coefficient, whose size is at most a few units, fits easily; the low part is positive.
        let (high, low) = ((value >> LOW) as i16, (value & ((1 << LOW) - 1)) as i16);
        for column in 0..BLOCK {
            let sample = i16::from(samples[column]);
            high_sums[column] += i32::from(sample) * i32::from(high);
            low_sums[column] += i32::from(sample) * i32::from(low);
        }
    }
    std::array::from_fn(|column| clip((high_sums[column] << LOW) + low_sums[column]))
}
