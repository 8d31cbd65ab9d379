//! The coarse structure of a window in 35 numbers, and its signs in 32 bits.

use super::orientation::Orientation;
use super::thumbnail::{SIDE, Thumbnail};

/// Cells of a side whose means are taken.
const CELLS: usize = 8;
/// Frequencies of a side that are kept.
const FREQUENCIES: usize = 6;
/// Numbers of a descriptor: all frequencies but the mean.
pub(super) const LEN: usize = FREQUENCIES * FREQUENCIES - 1;

/// A window of a thumbnail in shares of its sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) side: f32,
}

impl Window {
    pub(super) const WHOLE: Self = Self { left: 0.0, top: 0.0, side: 1.0 };

    /// What is left of the whole without its margins.
    pub(super) const CENTRE: Self = Self { left: 0.06, top: 0.06, side: 0.88 };

    /// The whole, then ever smaller windows that lie so close that a crop is not far from one of them. Of every side one lies in the
    /// middle, as a picture does in a frame.
    pub(super) fn all() -> Vec<Self> {
        let mut windows = Vec::new();
        for (side, along) in [(1.0, 1), (0.88, 3), (0.77, 5), (0.68, 5), (0.6, 7), (0.52, 7)] {
            let place = |n: u16| if along > 1 { (1.0 - side) * f32::from(n) / f32::from(along - 1) } else { 0.0 };
            for row in 0..along {
                windows.extend((0..along).map(|column| Self { left: place(column), top: place(row), side }));
            }
        }
        windows
    }
}

/// Sums over the rectangles from the corner: `[SIDE + 1][SIDE + 1]`.
pub(super) struct Integral {
    sums: Vec<u32>,
}

impl Integral {
    pub(super) fn new(thumbnail: &Thumbnail) -> Self {
        let stride = SIDE + 1;
        let mut sums = vec![0u32; stride * stride];
        for y in 0..SIDE {
            let mut row = 0;
            for x in 0..SIDE {
                row += u32::from(thumbnail.luma()[y * SIDE + x]);
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
            }
        }
        Self { sums }
    }

    /// The sum left of and above a place between pixels.
    fn at(&self, y: (usize, f32), x: (usize, f32)) -> f32 {
        let stride = SIDE + 1;
        let row = &self.sums[y.0 * stride..];
        let (a, b) = (row[x.0] as f32, row[x.0 + 1] as f32);
        let (c, d) = (row[stride + x.0] as f32, row[stride + x.0 + 1] as f32);
        let (upper, lower) = (a + x.1 * (b - a), c + x.1 * (d - c));
        upper + y.1 * (lower - upper)
    }
}

/// Low frequencies of a window (DCT-II), without its mean, of length 1; `None` where the window is flat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Descriptor {
    /// `[vertical][horizontal]`; the first is no number of it, and 0.
    values: [f32; LEN + 1],
}

impl Descriptor {
    pub(super) fn of(integral: &Integral, window: Window) -> Option<Self> {
        let edge = |start: f32, n: usize| {
            let place = (start + window.side * n as f32 / CELLS as f32) * SIDE as f32;
            let whole = (place as usize).min(SIDE - 1);
            (whole, place - whole as f32)
        };
        let xs: [(usize, f32); CELLS + 1] = std::array::from_fn(|n| edge(window.left, n));
        let ys: [(usize, f32); CELLS + 1] = std::array::from_fn(|n| edge(window.top, n));
        let mut above: [f32; CELLS + 1] = std::array::from_fn(|n| integral.at(ys[0], xs[n]));
        let mut halfway = [[0.0f32; FREQUENCIES]; CELLS];
        for (row, y) in halfway.iter_mut().zip(&ys[1..]) {
            let below: [f32; CELLS + 1] = std::array::from_fn(|n| integral.at(*y, xs[n]));
            for x in 0..CELLS {
                let cell = (below[x + 1] - below[x]) - (above[x + 1] - above[x]);
                row.iter_mut().zip(&COSINES).for_each(|(sum, cosines)| *sum += cosines[x] * cell);
            }
            above = below;
        }
        let mut values = [0.0f32; LEN + 1];
        for (v, cosines) in COSINES.iter().enumerate() {
            for (u, value) in values[v * FREQUENCIES..][..FREQUENCIES].iter_mut().enumerate() {
                let sum: f32 = halfway.iter().zip(cosines).map(|(row, cosine)| row[u] * cosine).sum();
                // Pictures have most in the lowest frequencies, which say least.
                *value = sum * ((u * u + v * v) as f32).sqrt().sqrt();
            }
        }
        values[0] = 0.0;
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        // About half a grey level of deviation, over the cells' area.
        let area = window.side * SIDE as f32 / CELLS as f32;
        if length < 4.0 * area * area {
            return None;
        }
        values.iter_mut().for_each(|value| *value /= length);
        Some(Self { values })
    }

    /// Of the same window, laid otherwise.
    pub(super) fn laid(&self, way: Orientation) -> Self {
        let mut values = [0.0; LEN + 1];
        for v in 0..FREQUENCIES {
            for u in 0..FREQUENCIES {
                let from = if way.transpose { u * FREQUENCIES + v } else { v * FREQUENCIES + u };
                // The other way round, a cosine of an odd frequency is its negative.
                let negative = (way.mirror && u % 2 == 1) ^ (way.upend && v % 2 == 1);
                values[v * FREQUENCIES + u] = if negative { -self.values[from] } else { self.values[from] };
            }
        }
        Self { values }
    }

    /// The mean of many, and of all ways to lay them.
    pub(super) fn mean(of: &[Self]) -> Self {
        let mut values = [0.0; LEN + 1];
        for laid in of.iter().flat_map(|descriptor| Orientation::all().map(|way| descriptor.laid(way))) {
            values.iter_mut().zip(&laid.values).for_each(|(sum, value)| *sum += value);
        }
        let count = (8 * of.len()).max(1) as f32;
        Self { values: values.map(|sum| sum / count) }
    }

    /// On which side of the usual the numbers of all but the three highest frequencies lie; neighbours lie in different halves.
    pub(super) fn code(&self, usual: &Self) -> u32 {
        let mut code = 0;
        for (bit, &at) in ORDER.iter().enumerate() {
            let place = (bit % 2) * 16 + bit / 2;
            code |= u32::from(self.values[usize::from(at)] > usual.values[usize::from(at)]) << place;
        }
        code
    }

    /// In bytes: a product of two, over [`UNIT`] squared, is the cosine of their angle.
    pub(super) fn bytes(&self) -> [i8; LEN + 1] {
        self.values.map(|value| (value * UNIT).round() as i8)
    }
}

/// What 1 is in bytes.
pub(super) const UNIT: f32 = 127.0;

/// `cos(π / CELLS · (x + ½) · u)`.
const COSINES: [[f32; CELLS]; FREQUENCIES] = {
    // cos(π k / 16) for k in 0..=16.
    const TABLE: [f32; 17] = [
        1.0,
        0.980_785_25,
        0.923_879_5,
        0.831_469_6,
        0.707_106_77,
        0.555_570_24,
        0.382_683_43,
        0.195_090_32,
        0.0,
        -0.195_090_32,
        -0.382_683_43,
        -0.555_570_24,
        -0.707_106_77,
        -0.831_469_6,
        -0.923_879_5,
        -0.980_785_25,
        -1.0,
    ];
    let mut cosines = [[0.0; CELLS]; FREQUENCIES];
    let mut u = 0;
    while u < FREQUENCIES {
        let mut x = 0;
        while x < CELLS {
            let k = ((2 * x + 1) * u) % 32;
            cosines[u][x] = TABLE[if k > 16 { 32 - k } else { k }];
            x += 1;
        }
        u += 1;
    }
    cosines
};

/// Places of the numbers whose signs count, from low to high frequencies.
const ORDER: [u8; 32] = {
    let mut order = [0; 32];
    let (mut count, mut sum) = (0, 1);
    while count < 32 {
        let mut v = 0;
        while v <= sum && count < 32 {
            let u = sum - v;
            if u < FREQUENCIES && v < FREQUENCIES {
                order[count] = (v * FREQUENCIES + u) as u8;
                count += 1;
            }
            v += 1;
        }
        sum += 1;
    }
    order
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;
    use avizor_base::ImageSize;

    fn thumbnail(grey: impl Fn(usize, usize) -> u8) -> Thumbnail {
        let pixels = (0..SIDE * SIDE).flat_map(|at| [grey(at / SIDE, at % SIDE); 3]).collect();
        Thumbnail::of(&Picture::new(ImageSize::new(64, 64).unwrap(), pixels).unwrap())
    }

    #[test]
    fn laying_a_picture_lays_its_descriptor() {
        let grey = |y: usize, x: usize| ((y * y + 3 * x * y / 2 + 11 * x) % 251) as u8;
        let upright = thumbnail(grey);
        let descriptor = Descriptor::of(&Integral::new(&upright), Window::WHOLE).unwrap();
        for way in Orientation::all() {
            let laid = way.lay(upright.luma(), SIDE);
            let other = thumbnail(|y, x| laid[y * SIDE + x]);
            let expected = Descriptor::of(&Integral::new(&other), Window::WHOLE).unwrap();
            let laid = descriptor.laid(way);
            for (a, b) in laid.values.iter().zip(&expected.values) {
                assert!((a - b).abs() < 1e-4, "{way:?}: {a} and {b}");
            }
        }
    }

    #[test]
    fn a_window_is_described_as_if_it_were_all() {
        let grey = |y: usize, x: usize| (128.0 + 60.0 * (x as f32 / 9.0).sin() + 60.0 * (y as f32 / 7.0).cos()) as u8;
        let part = Window { left: 0.25, top: 0.125, side: 0.5 };
        let window = Descriptor::of(&Integral::new(&thumbnail(grey)), part).unwrap();
        let alone = thumbnail(|y, x| grey(8 + y / 2, 16 + x / 2));
        let alone = Descriptor::of(&Integral::new(&alone), Window::WHOLE).unwrap();
        let cosine: f32 = window.values.iter().zip(&alone.values).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.999, "{cosine}");
        assert_eq!(Descriptor::of(&Integral::new(&thumbnail(|_, _| 9)), Window::WHOLE), None);
    }

    #[test]
    fn signs_are_of_different_numbers() {
        let mut order = ORDER;
        order.sort_unstable();
        assert!(order.windows(2).all(|pair| pair[0] < pair[1]) && order[0] > 0);
        assert_eq!(Window::all().len(), 158);
    }
}
