//! Affine warps: every pixel of the output looks up a place of the input.

use serde::{Deserialize, Serialize};

use super::Scratch;
use super::look_up::{FRACTION, Place, Places, fixed, look_up};
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
        match self.interpolation {
            Interpolation::Nearest => {
                look_up(&Coarse(self), self.interpolation, self.fill, picture, &mut scratch.before)
            }
            Interpolation::Bilinear => {
                look_up(&Fine(self), self.interpolation, self.fill, picture, &mut scratch.before)
            }
        }
    }
}

/// The places of a warp. Each row starts anew from floating point, so that what rounding leaves does not add up over rows.
struct Fine<'w>(&'w Warp);

impl Places for Fine<'_> {
    fn of_row(&self, y: usize) -> impl Iterator<Item = Place> {
        let [m0, m1, m2, m3, m4, m5] = self.0.matrix;
        let y = y as f64 + 0.5;
        let place = Place { x: fixed(m0 * 0.5 + m1 * y + m2), y: fixed(m3 * 0.5 + m4 * y + m5) };
        Steps { place, step: [m0, m3].map(fixed) }
    }
}

/// The same in 16 bits after the binary point with rounding that adds up over rows: so Pillow chooses the nearest pixel
/// (`affine_fixed` in `Geometry.c`), and ours must be the same pixel.
struct Coarse<'w>(&'w Warp);

impl Places for Coarse<'_> {
    fn of_row(&self, y: usize) -> impl Iterator<Item = Place> {
        const UNIT: f64 = 65_536.0;
        let coarse = |value: f64| (value.clamp(-UNIT, UNIT) * UNIT + 0.5).floor() as i64;
        let fine = |coarse: i64| coarse << (FRACTION - 16);
        let [m0, m1, m2, m3, m4, m5] = self.0.matrix;
        let first = |a: f64, b: f64, c: f64| fine(coarse(c + a * 0.5 + b * 0.5) + coarse(b) * y as i64);
        let place = Place { x: first(m0, m1, m2), y: first(m3, m4, m5) };
        Steps { place, step: [m0, m3].map(|step| fine(coarse(step))) }
    }
}

/// Places at equal distances.
struct Steps {
    place: Place,
    step: [i64; 2],
}

impl Iterator for Steps {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let place = self.place;
        self.place = Place { x: place.x + self.step[0], y: place.y + self.step[1] };
        Some(place)
    }
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
