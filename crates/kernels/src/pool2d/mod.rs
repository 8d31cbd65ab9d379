//! Pooling of NHWC activations over windows, and over whole maps.

mod average;
mod global;
mod max;

pub use average::{avg_pool2d, avg_pool2d_backward};
pub use global::{global_avg_pool, global_avg_pool_backward};
pub use max::{max_pool2d, max_pool2d_backward};

use std::ops::Range;

/// Windows over a batch; pairs are (height, width). Sizes of the output are rounded down, as by default in PyTorch; with
/// [`trailing`](Self::trailing) they can be rounded up, as with its `ceil_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool2dShape {
    /// Pictures.
    pub batch: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels, pooled each on its own.
    pub channels: usize,
    /// Size of a window.
    pub kernel: [usize; 2],
    /// Step from window to window.
    pub stride: [usize; 2],
    /// What is thought around the input: nothing for the maximum, zeros for the average.
    pub padding: [usize; 2],
    /// More places after each axis, where there is nothing at all: windows that hang over the end see less.
    pub trailing: [usize; 2],
}

impl Pool2dShape {
    /// Rows of the output.
    pub fn out_height(self) -> usize {
        self.windows(0, self.height)
    }

    /// Columns of the output.
    pub fn out_width(self) -> usize {
        self.windows(1, self.width)
    }

    /// Words in the input.
    pub fn input_len(self) -> usize {
        self.batch * self.height * self.width * self.channels
    }

    /// Words in the output.
    pub fn output_len(self) -> usize {
        self.batch * self.out_height() * self.out_width() * self.channels
    }

    /// Places of a window.
    fn taps(self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// What the kernels rely on; graphs check it where they are built and name the node.
    fn check(self) {
        assert!(self.stride[0] > 0 && self.stride[1] > 0, "a stride of 0 never arrives: {self:?}");
        assert!(self.kernel[0] > 0 && self.kernel[1] > 0, "a window has at least one place: {self:?}");
        assert!(
            2 * self.padding[0] <= self.kernel[0] && 2 * self.padding[1] <= self.kernel[1],
            "padding is at most half the window, so that no window lies outside the input: {self:?}"
        );
        assert!(
            self.padding[0] + self.trailing[0] < self.kernel[0] && self.padding[1] + self.trailing[1] < self.kernel[1],
            "every window begins in the input or before it: {self:?}"
        );
    }

    /// How many windows lie along an axis.
    fn windows(self, axis: usize, size: usize) -> usize {
        let places = size + 2 * self.padding[axis] + self.trailing[axis];
        places.checked_sub(self.kernel[axis]).map_or(0, |room| room / self.stride[axis].max(1) + 1)
    }

    /// The share of each number in the average of a window: its places in the input and the padding count, those that
    /// hang over the end do not.
    #[inline(always)]
    fn share(self, row: usize, column: usize) -> f32 {
        let along = |window: usize, axis: usize, size: usize| {
            self.kernel[axis].min(size + 2 * self.padding[axis] - window * self.stride[axis])
        };
        1.0 / (along(row, 0, self.height) * along(column, 1, self.width)) as f32
    }
}

/// The places of window number `window` that lie inside the input.
#[inline(always)]
fn inside(window: usize, size: usize, kernel: usize, stride: usize, padding: usize) -> Range<usize> {
    let first = window * stride;
    padding.saturating_sub(first)..kernel.min((size + padding).saturating_sub(first))
}

/// The windows along an axis that contain place `at` of the input, which is place
/// `at + padding - window · stride` of each.
#[inline(always)]
fn windows_over(at: usize, windows: usize, kernel: usize, stride: usize, padding: usize) -> Range<usize> {
    let place = at + padding;
    (place + 1).saturating_sub(kernel).div_ceil(stride)..(place / stride + 1).min(windows)
}

/// The windows over one place of an axis after the other, without a division for each.
struct WindowsAlong {
    windows: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    first: usize,
    end: usize,
}

impl WindowsAlong {
    #[inline(always)]
    fn new(windows: usize, kernel: usize, stride: usize, padding: usize) -> Self {
        Self { windows, kernel, stride, padding, first: 0, end: 0 }
    }

    /// Places come in rising order.
    #[inline(always)]
    fn move_to(&mut self, at: usize) {
        let place = at + self.padding;
        while self.end < self.windows && self.end * self.stride <= place {
            self.end += 1;
        }
        while self.first < self.end && self.first * self.stride + self.kernel <= place {
            self.first += 1;
        }
    }

    /// As [`windows_over`].
    #[inline(always)]
    fn over(&self) -> Range<usize> {
        self.first..self.end
    }
}

#[cfg(test)]
mod tests;
