//! Plain Rust, of which the compiler makes what vectors the architecture always has.

use super::{HALF, LOW, ResampleKernel, Taps, clip, halves};
use crate::Level;

pub(super) const RESAMPLE_U8: ResampleKernel =
    ResampleKernel { name: "resample_u8_scalar", level: Level::Scalar, along_row, down_columns };

pub(super) fn along_row(taps: &Taps, row: &[u8], output: &mut [u8]) {
    let row: &[[u8; 3]] = row.as_chunks().0;
    for (x, output) in output.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (first, weights) = taps.of(x);
        let mut sums = [HALF; 3];
        for (pixel, weight) in row[first - taps.needed().start..].iter().zip(weights) {
            for channel in 0..3 {
                sums[channel] += i32::from(pixel[channel]) * weight;
            }
        }
        *output = sums.map(clip);
    }
}

/// Columns of a block: eight registers of four sums, which stay there for all rows.
const BLOCK: usize = 16;

fn down_columns(weights: &[i32], source: &[u8], stride: usize, output: &mut [u8]) {
    let width = output.len();
    let (blocks, rest) = output.as_chunks_mut::<BLOCK>();
    for (index, block) in blocks.iter_mut().enumerate() {
        *block = weigh(weights, &source[index * BLOCK..], stride);
    }
    let done = width - rest.len();
    for (column, output) in (done..).zip(rest) {
        *output = column_sum(weights, source, stride, column);
    }
}

/// One column of [`down_columns`].
pub(super) fn column_sum(weights: &[i32], source: &[u8], stride: usize, column: usize) -> u8 {
    let samples = source[column..].iter().step_by(stride);
    clip(HALF + samples.zip(weights).map(|(sample, weight)| i32::from(*sample) * weight).sum::<i32>())
}

/// A block of [`down_columns`], in [`halves`]: a product of 32 bits takes the lowest level of x86-64 six instructions.
fn weigh(weights: &[i32], source: &[u8], stride: usize) -> [u8; BLOCK] {
    let (mut high_sums, mut low_sums) = ([0i32; BLOCK], [HALF; BLOCK]);
    let rows = source.chunks(stride).filter_map(|row| row.first_chunk::<BLOCK>());
    for (samples, weight) in rows.zip(weights) {
        let [high, low] = halves(*weight);
        for column in 0..BLOCK {
            let sample = i16::from(samples[column]);
            high_sums[column] += i32::from(sample) * i32::from(high);
            low_sums[column] += i32::from(sample) * i32::from(low);
        }
    }
    std::array::from_fn(|column| clip((high_sums[column] << LOW) + low_sums[column]))
}
