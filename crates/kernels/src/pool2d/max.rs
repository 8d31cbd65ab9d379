//! The largest number of every window.

use std::ops::Range;

use super::{Pool2dShape, WindowsAlong, inside, windows_over};
use crate::column_sums::{lanes, put_lanes};
use crate::parts::{for_each_pair, for_each_part};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::{Cpu, Element};

/// Channels done at a time, and what is left of them. With 32 the compiler keeps them in memory, by masked stores: five
/// times slower.
const WIDE: usize = 16;
const NARROW: usize = 8;

per_element! {
    /// `y` is the largest of every window; `window` gets which place of the window it was (row by row from 0), for the
    /// backward pass. Of equals the first wins, and NaN wins over all, as in PyTorch.
    ///
    /// # Panics
    /// When a slice has another length than the shape says, padding is more than half the window, or a window has more
    /// than 256 places.
    pub fn max_pool2d[E](cpu: &Cpu, shape: Pool2dShape, x: &[E], y: &mut [E], window: Option<&mut [u8]>) {
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
}

per_element! {
    /// Gradient of [`max_pool2d`]: every `dy` goes to the place that won. `dx` is overwritten.
    ///
    /// # Panics
    /// As [`max_pool2d`].
    pub fn max_pool2d_backward[E](cpu: &Cpu, shape: Pool2dShape, window: &[u8], dy: &[E], dx: &mut [E]) {
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
}

per_level! {
    fn max_row[E: Element](shape: Pool2dShape, x: &[E], row: usize, y: &mut [E]) {
        let channels = shape.channels;
        let mut window = Window::first_of_row(shape, row);
        for (column, y) in y.chunks_exact_mut(channels).enumerate() {
            window.move_to(column);
            let mut channel = 0;
            while channel + WIDE <= channels {
                put_lanes(&window.winners::<E, WIDE>(x, channel).0, y, channel);
                channel += WIDE;
            }
            while channel + NARROW <= channels {
                put_lanes(&window.winners::<E, NARROW>(x, channel).0, y, channel);
                channel += NARROW;
            }
            while channel < channels {
                put_lanes(&window.winners::<E, 1>(x, channel).0, y, channel);
                channel += 1;
            }
        }
    }
}

per_level! {
    fn max_row_with_places[E: Element](shape: Pool2dShape, x: &[E], row: usize, y: &mut [E], places: &mut [u8]) {
        let channels = shape.channels;
        let mut window = Window::first_of_row(shape, row);
        for (column, (y, places)) in y.chunks_exact_mut(channels).zip(places.chunks_exact_mut(channels)).enumerate() {
            window.move_to(column);
            let mut channel = 0;
            while channel + WIDE <= channels {
                let (best, place) = window.winners::<E, WIDE>(x, channel);
                put_lanes(&best, y, channel);
                places[channel..channel + WIDE].copy_from_slice(&place.map(|place| place as u8));
                channel += WIDE;
            }
            while channel + NARROW <= channels {
                let (best, place) = window.winners::<E, NARROW>(x, channel);
                put_lanes(&best, y, channel);
                places[channel..channel + NARROW].copy_from_slice(&place.map(|place| place as u8));
                channel += NARROW;
            }
            while channel < channels {
                let (best, place) = window.winners::<E, 1>(x, channel);
                put_lanes(&best, y, channel);
                places[channel] = place[0] as u8;
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
    /// The pixel of the input at the left of the row of windows, and of this window: where place 0 would be. Both may
    /// lie before the first.
    left: usize,
    corner: usize,
}

impl Window {
    /// `row` counts over the whole batch. Divisions are slow: they are made here, once a row.
    #[inline(always)]
    fn first_of_row(shape: Pool2dShape, row: usize) -> Self {
        let Pool2dShape { height, width, kernel, stride, padding, .. } = shape;
        let (picture, row) = (row / shape.out_height(), row % shape.out_height());
        let top = (picture * height + row * stride[0]).wrapping_sub(padding[0]);
        let left = top.wrapping_mul(width).wrapping_sub(padding[1]);
        Self { shape, rows: inside(row, height, kernel[0], stride[0], padding[0]), columns: 0..0, left, corner: left }
    }

    #[inline(always)]
    fn move_to(&mut self, column: usize) {
        let Pool2dShape { width, kernel, stride, padding, .. } = self.shape;
        self.columns = inside(column, width, kernel[1], stride[1], padding[1]);
        self.corner = self.left.wrapping_add(column * stride[1]);
    }

    /// The largest of `L` channels, and their places.
    #[inline(always)]
    fn winners<E: Element, const L: usize>(&self, x: &[E], channel: usize) -> ([f32; L], [u32; L]) {
        let width = self.shape.width;
        let first = self.rows.start * self.shape.kernel[1] + self.columns.start;
        let (mut best, mut places) = ([f32::NEG_INFINITY; L], [first as u32; L]);
        for row in self.rows.clone() {
            let pixel = self.corner.wrapping_add(row * width + self.columns.start);
            let mut at = pixel * self.shape.channels + channel;
            for column in self.columns.clone() {
                let place = (row * self.shape.kernel[1] + column) as u32;
                let x: [f32; L] = lanes(x, at);
                for lane in 0..L {
                    let wins = (x[lane] > best[lane]) | x[lane].is_nan();
                    best[lane] = if wins { x[lane] } else { best[lane] };
                    places[lane] = if wins { place } else { places[lane] };
                }
                at += self.shape.channels;
            }
        }
        (best, places)
    }
}

per_level! {
    fn backward_row[E: Element](shape: Pool2dShape, places: &[u8], dy: &[E], row: usize, dx: &mut [E]) {
        let channels = shape.channels;
        let mut pixel = Pixel::first_of_row(shape, row);
        for (column, dx) in dx.chunks_exact_mut(channels).enumerate() {
            pixel.move_to(column);
            let mut channel = 0;
            while channel + WIDE <= channels {
                put_lanes(&pixel.gradient::<E, WIDE>(places, dy, channel), dx, channel);
                channel += WIDE;
            }
            while channel + NARROW <= channels {
                put_lanes(&pixel.gradient::<E, NARROW>(places, dy, channel), dx, channel);
                channel += NARROW;
            }
            while channel < channels {
                put_lanes(&pixel.gradient::<E, 1>(places, dy, channel), dx, channel);
                channel += 1;
            }
        }
    }
}

/// A place of the input, and the windows over it.
struct Pixel {
    shape: Pool2dShape,
    rows: Range<usize>,
    columns: WindowsAlong,
    /// The place, counted from the corner of the padding.
    at: [usize; 2],
    /// Number of the picture's first row of windows.
    first_row: usize,
    out_width: usize,
}

impl Pixel {
    /// `row` counts over the whole batch.
    #[inline(always)]
    fn first_of_row(shape: Pool2dShape, row: usize) -> Self {
        let Pool2dShape { height, kernel, stride, padding, .. } = shape;
        let (picture, row) = (row / height, row % height);
        let (out_height, out_width) = (shape.out_height(), shape.out_width());
        Self {
            shape,
            rows: windows_over(row, out_height, kernel[0], stride[0], padding[0]),
            columns: WindowsAlong::new(out_width, kernel[1], stride[1], padding[1]),
            at: [row + padding[0], padding[1]],
            first_row: picture * out_height,
            out_width,
        }
    }

    #[inline(always)]
    fn move_to(&mut self, column: usize) {
        self.columns.move_to(column);
        self.at[1] = column + self.shape.padding[1];
    }

    #[inline(always)]
    fn gradient<E: Element, const L: usize>(&self, places: &[u8], dy: &[E], channel: usize) -> [f32; L] {
        let Pool2dShape { channels, kernel, stride, .. } = self.shape;
        let mut sum = [0.0; L];
        for row in self.rows.clone() {
            for column in self.columns.over() {
                let place = ((self.at[0] - row * stride[0]) * kernel[1] + self.at[1] - column * stride[1]) as u8;
                let start = ((self.first_row + row) * self.out_width + column) * channels + channel;
                let dy: [f32; L] = lanes(dy, start);
                let places = &places[start..start + L];
                for lane in 0..L {
                    sum[lane] += if places[lane] == place { dy[lane] } else { 0.0 };
                }
            }
        }
        sum
    }
}
