//! Affine warps: every pixel of the output looks up a place of the input.

use serde::{Deserialize, Serialize};

use super::Scratch;
use super::options::Colour;
use crate::Picture;

/// How a value between pixels is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The pixel that the place lies in.
    #[default]
    Nearest,
    /// The four pixels around, by distance.
    Bilinear,
}

/// What lies outside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a gray value from 0 to 255, three of them in brackets, \"nearest\" or \"reflect\"")]
pub enum Fill {
    /// One colour.
    Colour(Colour),
    /// The picture goes on.
    Extended(Extension),
}

/// How a picture goes on outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Extension {
    /// Its edge, without end: `aaa|abc|ccc`.
    Nearest,
    /// Its mirror image: `cba|abc|cba`.
    Reflect,
}

impl Default for Fill {
    /// Black, as torchvision's.
    fn default() -> Self {
        Self::Colour(Colour::Gray(0))
    }
}

/// An affine warp of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warp {
    /// The output pixel in column `x` and row `y`, whose centre is `(x + ½, y + ½)`, looks at
    /// `(m₀(x + ½) + m₁(y + ½) + m₂, m₃(x + ½) + m₄(y + ½) + m₅)`. Pillow's convention.
    pub matrix: [f64; 6],
    /// How a value between pixels is made.
    pub interpolation: Interpolation,
    /// What lies outside the picture.
    pub fill: Fill,
}

impl Warp {
    /// Changes the picture.
    pub(super) fn apply(&self, picture: &mut Picture, scratch: &mut Scratch) {
        scratch.before.resize(picture.pixels().len(), 0);
        let before = picture.replace_pixels(std::mem::take(&mut scratch.before));
        let size = picture.size();
        let source =
            Source { pixels: before.as_chunks().0, height: i64::from(size.height()), width: i64::from(size.width()) };
        match self.fill {
            Fill::Colour(colour) => self.look_up(source, &Framed(colour.rgb()), picture),
            Fill::Extended(Extension::Nearest) => self.look_up(source, &Clamped, picture),
            Fill::Extended(Extension::Reflect) => self.look_up(source, &Mirrored, picture),
        }
        scratch.before = before;
    }

    fn look_up(&self, source: Source<'_>, border: &impl Border, picture: &mut Picture) {
        let width = picture.size().width() as usize;
        let step = [self.matrix[0], self.matrix[3]];
        for (y, row) in picture.colours_mut().chunks_exact_mut(width).enumerate() {
            match self.interpolation {
                Interpolation::Nearest => {
                    let (start, step) = self.coarse_start(y);
                    nearest_row(source, border, start, step, row);
                }
                Interpolation::Bilinear => bilinear_row(source, border, self.start(y), step.map(fixed), row),
            }
        }
    }

    /// The place that the first pixel of a row looks at. Each row starts anew from floating point, so that what rounding
    /// leaves does not add up over rows.
    fn start(&self, y: usize) -> Place {
        let [m0, m1, m2, m3, m4, m5] = self.matrix;
        let y = y as f64 + 0.5;
        Place { x: fixed(m0 * 0.5 + m1 * y + m2), y: fixed(m3 * 0.5 + m4 * y + m5) }
    }

    /// The same, and the step to the next pixel, in 16 bits after the binary point with rounding that adds up over rows:
    /// so Pillow chooses the nearest pixel (`affine_fixed` in `Geometry.c`), and ours must be the same pixel.
    fn coarse_start(&self, y: usize) -> (Place, [i64; 2]) {
        const UNIT: f64 = 65_536.0;
        let coarse = |value: f64| (value.clamp(-UNIT, UNIT) * UNIT + 0.5).floor() as i64;
        let fine = |coarse: i64| coarse << (FRACTION - 16);
        let [m0, m1, m2, m3, m4, m5] = self.matrix;
        let first = |a: f64, b: f64, c: f64| fine(coarse(c + a * 0.5 + b * 0.5) + coarse(b) * y as i64);
        (Place { x: first(m0, m1, m2), y: first(m3, m4, m5) }, [fine(coarse(m0)), fine(coarse(m3))])
    }
}

/// Bits after the binary point of a place.
const FRACTION: u32 = 32;
/// Bits of a weight: two of them and eight of a sample fit 32.
const WEIGHT: u32 = 11;

/// A place in the input, in pixels of 2³² parts.
#[derive(Clone, Copy)]
struct Place {
    x: i64,
    y: i64,
}

/// The input.
#[derive(Clone, Copy)]
struct Source<'a> {
    pixels: &'a [[u8; 3]],
    height: i64,
    width: i64,
}

impl Source<'_> {
    fn at(self, y: i64, x: i64) -> [u8; 3] {
        self.pixels[(y * self.width + x) as usize]
    }

    fn holds(self, y: i64, x: i64) -> bool {
        (0..self.height).contains(&y) && (0..self.width).contains(&x)
    }
}

/// Rounded to 2⁻³² and kept within a range that no sum of a row leaves.
fn fixed(value: f64) -> i64 {
    const MOST: f64 = (1u64 << 28) as f64;
    (value.clamp(-MOST, MOST) * (1u64 << FRACTION) as f64).round_ties_even() as i64
}

/// What lies outside.
trait Border {
    /// A colour for every pixel whose place is outside, or none where the picture goes on.
    const COLOUR: bool;

    fn colour(&self) -> [u8; 3] {
        [0; 3]
    }

    /// The index inside that stands for any index along an axis.
    fn inside(index: i64, length: i64) -> i64;
}

struct Framed([u8; 3]);
struct Clamped;
struct Mirrored;

impl Border for Framed {
    const COLOUR: bool = true;

    fn colour(&self) -> [u8; 3] {
        self.0
    }

    fn inside(index: i64, length: i64) -> i64 {
        index.clamp(0, length - 1)
    }
}

impl Border for Clamped {
    const COLOUR: bool = false;

    fn inside(index: i64, length: i64) -> i64 {
        index.clamp(0, length - 1)
    }
}

impl Border for Mirrored {
    const COLOUR: bool = false;

    fn inside(index: i64, length: i64) -> i64 {
        if (0..length).contains(&index) {
            return index;
        }
        let place = index.rem_euclid(2 * length);
        place.min(2 * length - 1 - place)
    }
}

fn nearest_row<B: Border>(source: Source<'_>, border: &B, mut place: Place, step: [i64; 2], row: &mut [[u8; 3]]) {
    for pixel in row {
        let (x, y) = (place.x >> FRACTION, place.y >> FRACTION);
        *pixel = if source.holds(y, x) {
            source.at(y, x)
        } else if B::COLOUR {
            border.colour()
        } else {
            source.at(B::inside(y, source.height), B::inside(x, source.width))
        };
        place.x += step[0];
        place.y += step[1];
    }
}

fn bilinear_row<B: Border>(source: Source<'_>, border: &B, mut place: Place, step: [i64; 2], row: &mut [[u8; 3]]) {
    const HALF: i64 = 1 << (FRACTION - 1);
    for pixel in row {
        let (x, y) = ((place.x - HALF) >> FRACTION, (place.y - HALF) >> FRACTION);
        let weight = |place: i64| ((place - HALF) as u32 >> (FRACTION - WEIGHT)) as i32;
        let weights = [weight(place.x), weight(place.y)];
        *pixel = if x >= 0 && y >= 0 && x + 1 < source.width && y + 1 < source.height {
            let corner = (y * source.width + x) as usize;
            let below = corner + source.width as usize;
            let [above, below] = [&source.pixels[corner..corner + 2], &source.pixels[below..below + 2]];
            blend([above[0], above[1], below[0], below[1]], weights)
        } else if B::COLOUR && !source.holds(place.y >> FRACTION, place.x >> FRACTION) {
            border.colour()
        } else {
            let columns = [x, x + 1].map(|x| B::inside(x, source.width));
            let rows = [y, y + 1].map(|y| B::inside(y, source.height));
            let corner = |y: usize, x: usize| source.at(rows[y], columns[x]);
            blend([corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)], weights)
        };
        place.x += step[0];
        place.y += step[1];
    }
}

/// Four neighbours by distance, rounded to the nearest.
fn blend([a, b, c, d]: [[u8; 3]; 4], [x, y]: [i32; 2]) -> [u8; 3] {
    const HALF: i32 = 1 << (2 * WEIGHT - 1);
    std::array::from_fn(|channel| {
        let [a, b, c, d] = [a, b, c, d].map(|colour| i32::from(colour[channel]));
        let above = (a << WEIGHT) + (b - a) * x;
        let below = (c << WEIGHT) + (d - c) * x;
        (((above << WEIGHT) + (below - above) * y + HALF) >> (2 * WEIGHT)) as u8
    })
}

#[cfg(test)]
mod tests {
    use avizor_base::ImageSize;

    use super::*;

    const IDENTITY: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    fn row(warp: Warp) -> Vec<u8> {
        let size = ImageSize::new(1, 4).unwrap();
        let mut picture =
            Picture::new(size, [10, 20, 30, 40].into_iter().flat_map(|gray| [gray; 3]).collect()).unwrap();
        warp.apply(&mut picture, &mut Scratch::default());
        picture.colours().iter().map(|colour| colour[0]).collect()
    }

    #[test]
    fn what_lies_outside_is_a_colour_or_the_picture_going_on() {
        let extended = |extension| Fill::Extended(extension);
        let cases = [
            (Fill::Colour(Colour::Gray(7)), -2.0, [7, 7, 10, 20]),
            (Fill::Colour(Colour::Gray(7)), 3.0, [40, 7, 7, 7]),
            (extended(Extension::Nearest), -2.0, [10, 10, 10, 20]),
            (extended(Extension::Nearest), 3.0, [40, 40, 40, 40]),
            (extended(Extension::Reflect), -2.0, [20, 10, 10, 20]),
            (extended(Extension::Reflect), 3.0, [40, 40, 30, 20]),
            (extended(Extension::Reflect), -11.0, [30, 20, 10, 10]),
            (extended(Extension::Reflect), 0.0, [10, 20, 30, 40]),
        ];
        for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
            for (fill, shift, expected) in cases {
                let matrix = [1.0, 0.0, shift, 0.0, 1.0, 0.0];
                assert_eq!(row(Warp { matrix, interpolation, fill }), expected, "{interpolation:?} {fill:?} {shift}");
            }
        }
    }

    #[test]
    fn values_between_pixels_are_rounded_to_the_nearest() {
        let warp = |shift| Warp {
            matrix: [1.0, 0.0, shift, 0.0, 1.0, 0.0],
            interpolation: Interpolation::Bilinear,
            fill: Fill::Extended(Extension::Nearest),
        };
        assert_eq!(row(warp(0.25)), [13, 23, 33, 40]);
        assert_eq!(row(warp(0.24)), [12, 22, 32, 40]);
    }

    #[test]
    fn no_matrix_leaves_the_numbers_range() {
        for extreme in [1e300, -1e300, f64::NAN, 1e9] {
            for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
                for fill in [Fill::default(), Fill::Extended(Extension::Reflect)] {
                    let matrix = IDENTITY.map(|value| value * extreme + extreme);
                    assert_eq!(row(Warp { matrix, interpolation, fill }).len(), 4);
                }
            }
        }
    }
}
