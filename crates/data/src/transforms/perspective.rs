//! Seeing a picture from a side.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::look_up::{Place, Places, fixed, look_up};
use super::options::{probability, within};
use super::warp::{Fill, Interpolation};
use super::{Draw, OptionRow, Scratch, Transform, TransformRow};
use crate::Picture;

pub(super) const ROW: TransformRow = TransformRow::new::<Perspective>(
    "perspective",
    "Moves each corner inwards on its own, as if the picture were seen from a side; torchvision's RandomPerspective.",
    &[
        OptionRow { name: "distortion_scale", default: "0.5", doc: "How far at most, as a part of half a side." },
        super::P_HALF,
        super::BILINEAR,
        super::FILL,
    ],
);

/// Moves each corner inwards on its own.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Perspective {
    /// Of half a side, 0 to 1.
    pub distortion_scale: f64,
    /// Probability.
    pub p: f64,
    /// Of values between pixels.
    pub interpolation: Interpolation,
    /// What comes in at the edges.
    pub fill: Fill,
}

impl Default for Perspective {
    fn default() -> Self {
        Self { distortion_scale: 0.5, p: 0.5, interpolation: Interpolation::Bilinear, fill: Fill::default() }
    }
}

/// A perspective of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerspectiveWarp {
    /// The output pixel whose centre is `(x, y)` looks at `(c₀x + c₁y + c₂, c₃x + c₄y + c₅) / (c₆x + c₇y + 1)`. Pillow's
    /// convention.
    pub coefficients: [f64; 8],
    /// How a value between pixels is made.
    pub interpolation: Interpolation,
    /// What lies outside the picture.
    pub fill: Fill,
}

/// Top left, top right, bottom right, bottom left: x and y.
pub(super) type Corners = [[f64; 2]; 4];

impl Transform for Perspective {
    fn check(&self) -> Result<(), String> {
        within("distortion_scale", self.distortion_scale, 0.0, 1.0)?;
        probability(self.p)
    }

    /// A picture of one row or column has no corners to move: it stays.
    fn draw(&self, stream: &mut Stream, size: ImageSize) -> Draw {
        let chosen = stream.chance(self.p);
        let (height, width) = (size.height(), size.width());
        let mut inwards = |side: u32| {
            let most = (self.distortion_scale * f64::from(side / 2)) as u64;
            stream.below(most + 1) as f64
        };
        let [left, right, top, bottom] = [0.0, f64::from(width) - 1.0, 0.0, f64::from(height) - 1.0];
        let from = [[left, top], [right, top], [right, bottom], [left, bottom]];
        let signs = [[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]];
        let mut to = from;
        for (corner, sign) in to.iter_mut().zip(signs) {
            corner[0] += sign[0] * inwards(width);
            corner[1] += sign[1] * inwards(height);
        }
        match coefficients(from, to).filter(|_| chosen) {
            Some(coefficients) => {
                let (interpolation, fill) = (self.interpolation, self.fill);
                Draw::Perspective(PerspectiveWarp { coefficients, interpolation, fill })
            }
            None => Draw::Nothing,
        }
    }
}

/// What takes `to`, in the output, to `from`, in the input; none where three corners lie on a line. Rounded to single
/// precision as torchvision's `_get_perspective_coeffs`.
pub(super) fn coefficients(from: Corners, to: Corners) -> Option<[f64; 8]> {
    let mut rows: [[f64; 9]; 8] = std::array::from_fn(|place| {
        let ([x, y], [u, v]) = (to[place / 2], from[place / 2]);
        match place % 2 {
            0 => [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u],
            _ => [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v],
        }
    });
    // Gauss and Jordan, the largest pivot first.
    for column in 0..8 {
        let pivot = (column..8).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        rows.swap(column, pivot);
        let pivot = rows[column];
        if pivot[column].abs() < 1e-9 {
            return None;
        }
        for (_, row) in rows.iter_mut().enumerate().filter(|(place, _)| *place != column) {
            let factor = row[column] / pivot[column];
            row.iter_mut().zip(pivot).for_each(|(value, of_pivot)| *value -= factor * of_pivot);
        }
    }
    Some(std::array::from_fn(|place| f64::from((rows[place][8] / rows[place][place]) as f32)))
}

impl PerspectiveWarp {
    pub(super) fn apply(&self, picture: &mut Picture, scratch: &mut Scratch) {
        look_up(self, self.interpolation, self.fill, picture, &mut scratch.before);
    }
}

impl Places for PerspectiveWarp {
    fn of_row(&self, y: usize) -> impl Iterator<Item = Place> {
        let [c0, c1, c2, c3, c4, c5, c6, c7] = self.coefficients;
        let y = y as f64 + 0.5;
        (0..u32::MAX).map(move |x| {
            let x = f64::from(x) + 0.5;
            let depth = c6 * x + c7 * y + 1.0;
            Place { x: fixed((c0 * x + c1 * y + c2) / depth), y: fixed((c3 * x + c4 * y + c5) / depth) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_go_where_they_should() {
        let from = [[0.0, 0.0], [99.0, 0.0], [99.0, 59.0], [0.0, 59.0]];
        let to = [[10.0, 3.0], [80.0, 12.0], [95.0, 40.0], [2.0, 55.0]];
        let [c0, c1, c2, c3, c4, c5, c6, c7] = coefficients(from, to).unwrap();
        for ([x, y], wanted) in to.into_iter().zip(from) {
            let depth = c6 * x + c7 * y + 1.0;
            let got = [(c0 * x + c1 * y + c2) / depth, (c3 * x + c4 * y + c5) / depth];
            // Single precision of the coefficients.
            assert!((got[0] - wanted[0]).abs() < 1e-3 && (got[1] - wanted[1]).abs() < 1e-3, "{got:?} {wanted:?}");
        }
        assert!(coefficients(from, [[0.0; 2]; 4]).is_none());
    }
}
