//! The largest number of every window.

use std::ops::Range;

use super::{Pool2dShape, inside, windows_over};
use crate::Cpu;
use crate::column_sums::lanes;
use crate::parts::{for_each_pair, for_each_part};
use crate::per_level::per_level;

/// `y` is the largest of every window; `window` gets which place of the window it was (row by row from 0), for the
/// backward pass. Of equals the first wins, and NaN wins over all, as in PyTorch.
///
/// # Panics
/// When a slice has another length than the shape says, padding is more than half the window, or a window has more
/// than 256 places.
pub fn max_pool2d(cpu: &Cpu, shape: Pool2dShape, x: &[f32], y: &mut [f32], window: Option<&mut [u8]>) {
    shape.check();
    assert!(x.len() == shape.input_len() && y.len() == shape.output_len(), "x or y does not fit {shape:?}");
    let row = shape.out_width() * shape.channels;
    if row == 0 {
        return;
    }
    match window {
        None => for_each_part(cpu, row, [y], |range, [y]| max_row(cpu, shape, x, range.start / row, y)),
        Some(window) => {
            assert!(shape.taps() <= 256, "a place of a window fits a byte: {shape:?}");
            assert_eq!(window.len(), y.len(), "one place an output");
            for_each_pair(cpu, (y, row), (window, row), |number, y, window| {
                max_row_with_places(cpu, shape, x, number, y, window);
            });
        }
    }
}

/// Gradient of [`max_pool2d`]: every `dy` goes to the place that won. `dx` is overwritten.
///
/// # Panics
/// As [`max_pool2d`].
pub fn max_pool2d_backward(cpu: &Cpu, shape: Pool2dShape, window: &[u8], dy: &[f32], dx: &mut [f32]) {
    shape.check();
    assert!(dx.len() == shape.input_len() && dy.len() == shape.output_len(), "dx or dy does not fit {shape:?}");
    assert!(shape.taps() <= 256, "a place of a window fits a byte: {shape:?}");
    assert_eq!(window.len(), dy.len(), "one place an output");
    let row = shape.width * shape.channels;
    if row > 0 {
        // Every task gathers what one row of the input gets, so no two write the same place.
        for_each_part(cpu, row, [dx], |range, [dx]| backward_row(cpu, shape, window, dy, range.start / row, dx));
    }
}

per_level! {
    fn max_row(shape: Pool2dShape, x: &[f32], row: usize, y: &mut [f32]) {
        let channels = shape.channels;
        for (column, y) in y.chunks_exact_mut(channels).enumerate() {
            let window = Window::of_output(shape, row, column);
            let mut channel = 0;
            while channel + 16 <= channels {
                y[channel..channel + 16].copy_from_slice(&window.winners::<16>(x, channel).0);
                channel += 16;
            }
            while channel < channels {
                y[channel] = window.winners::<1>(x, channel).0[0];
                channel += 1;
            }
        }
    }
}

per_level! {
    fn max_row_with_places(shape: Pool2dShape, x: &[f32], row: usize, y: &mut [f32], places: &mut [u8]) {
        let channels = shape.channels;
        for (column, (y, places)) in y.chunks_exact_mut(channels).zip(places.chunks_exact_mut(channels)).enumerate() {
            let window = Window::of_output(shape, row, column);
            let mut channel = 0;
            while channel + 16 <= channels {
                let (best, place) = window.winners::<16>(x, channel);
                y[channel..channel + 16].copy_from_slice(&best);
                places[channel..channel + 16].copy_from_slice(&place.map(|place| place as u8));
                channel += 16;
            }
            while channel < channels {
                let (best, place) = window.winners::<1>(x, channel);
                (y[channel], places[channel]) = (best[0], place[0] as u8);
                channel += 1;
            }
        }
    }
}

/// A window, without what of it lies outside the input.
struct Window {
    shape: Pool2dShape,
    rows: Range<usize>,
    columns: Range<usize>,
    /// Where place 0 would be in the input, were there no channels; it may lie before the first word.
    corner: usize,
}

impl Window {
    /// `row` counts over the whole batch.
    #[inline(always)]
    fn of_output(shape: Pool2dShape, row: usize, column: usize) -> Self {
        let Pool2dShape { height, width, kernel, stride, padding, .. } = shape;
        let (picture, row) = (row / shape.out_height(), row % shape.out_height());
        let top = (picture * height + row * stride[0]).wrapping_sub(padding[0]);
        Self {
            shape,
            rows: inside(row, height, kernel[0], stride[0], padding[0]),
            columns: inside(column, width, kernel[1], stride[1], padding[1]),
            corner: top.wrapping_mul(width).wrapping_add(column * stride[1]).wrapping_sub(padding[1]),
        }
    }

    /// The largest of `L` channels, and their places.
    #[inline(always)]
    fn winners<const L: usize>(&self, x: &[f32], channel: usize) -> ([f32; L], [u32; L]) {
        let width = self.shape.width;
        let first = self.rows.start * self.shape.kernel[1] + self.columns.start;
        let (mut best, mut places) = ([f32::NEG_INFINITY; L], [first as u32; L]);
        for row in self.rows.clone() {
            for column in self.columns.clone() {
                let pixel = self.corner.wrapping_add(row * width + column);
                let place = (row * self.shape.kernel[1] + column) as u32;
                let x: [f32; L] = lanes(x, pixel * self.shape.channels + channel);
                for lane in 0..L {
                    let wins = (x[lane] > best[lane]) | x[lane].is_nan();
                    best[lane] = if wins { x[lane] } else { best[lane] };
                    places[lane] = if wins { place } else { places[lane] };
                }
            }
        }
        (best, places)
    }
}

per_level! {
    fn backward_row(shape: Pool2dShape, places: &[u8], dy: &[f32], row: usize, dx: &mut [f32]) {
        let channels = shape.channels;
        for (column, dx) in dx.chunks_exact_mut(channels).enumerate() {
            let pixel = Pixel::of_input(shape, row, column);
            let mut channel = 0;
            while channel + 16 <= channels {
                dx[channel..channel + 16].copy_from_slice(&pixel.gradient::<16>(places, dy, channel));
                channel += 16;
            }
            while channel < channels {
                dx[channel] = pixel.gradient::<1>(places, dy, channel)[0];
                channel += 1;
            }
        }
    }
}

/// A place of the input, and the windows over it.
struct Pixel {
    shape: Pool2dShape,
    /// Number of the picture's first row of windows.
    first_row: usize,
    /// The place, counted from the corner of the padding.
    at: [usize; 2],
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Pixel {
    #[inline(always)]
    fn of_input(shape: Pool2dShape, row: usize, column: usize) -> Self {
        let Pool2dShape { height, kernel, stride, padding, .. } = shape;
        let (picture, row) = (row / height, row % height);
        Self {
            shape,
            first_row: picture * shape.out_height(),
            at: [row + padding[0], column + padding[1]],
            rows: windows_over(row, shape.out_height(), kernel[0], stride[0], padding[0]),
            columns: windows_over(column, shape.out_width(), kernel[1], stride[1], padding[1]),
        }
    }

    #[inline(always)]
    fn gradient<const L: usize>(&self, places: &[u8], dy: &[f32], channel: usize) -> [f32; L] {
        let Pool2dShape { channels, kernel, stride, .. } = self.shape;
        let mut sum = [0.0; L];
        for row in self.rows.clone() {
            for column in self.columns.clone() {
                let place = (self.at[0] - row * stride[0]) * kernel[1] + self.at[1] - column * stride[1];
                let start = ((self.first_row + row) * self.shape.out_width() + column) * channels + channel;
                let dy: [f32; L] = lanes(dy, start);
                let places = &places[start..start + L];
                for lane in 0..L {
                    sum[lane] += if places[lane] == place as u8 { dy[lane] } else { 0.0 };
                }
            }
        }
        sum
    }
}
