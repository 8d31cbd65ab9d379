//! Turning, shifting, scaling and shearing at once.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::{Spread, ordered, within};
use super::warp::{Fill, Interpolation, Warp};
use super::{Draw, OptionRow, Transform, TransformRow};

pub(super) const ROW: TransformRow = TransformRow::new::<Affine>(
    "affine",
    "Turns, shifts, scales and shears at once about the centre; torchvision's RandomAffine.",
    &[
        OptionRow { name: "degrees", default: "0", doc: "Clockwise: a number d for -d to d, or [low, high]." },
        OptionRow { name: "translate", default: "[0, 0]", doc: "Most shift [x, y] as fractions of width and height." },
        OptionRow { name: "scale", default: "[1, 1]", doc: "Smallest and largest factor, the same for both sides." },
        OptionRow {
            name: "shear",
            default: "0",
            doc: "Degrees: a number s for -s to s along x, [low, high] along x, or [low x, high x, low y, high y].",
        },
        super::INTERPOLATION,
        super::FILL,
    ],
);

/// Turns, shifts, scales and shears at once about the centre.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Affine {
    /// Clockwise.
    pub degrees: Spread,
    /// Most shift to either side, as fractions of width and height; whole pixels are drawn.
    pub translate: [f64; 2],
    /// Smallest and largest factor.
    pub scale: [f64; 2],
    /// In degrees.
    pub shear: Shear,
    /// Of values between pixels.
    pub interpolation: Interpolation,
    /// What comes in at the edges.
    pub fill: Fill,
}

/// Ranges of the shear along x and along y, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, or two or four numbers in brackets")]
pub enum Shear {
    /// Along x.
    X(Spread),
    /// Low and high along x, low and high along y.
    Both([f64; 4]),
}

impl Default for Affine {
    fn default() -> Self {
        Self {
            degrees: Spread::Around(0.0),
            translate: [0.0; 2],
            scale: [1.0; 2],
            shear: Shear::X(Spread::Around(0.0)),
            interpolation: Interpolation::default(),
            fill: Fill::default(),
        }
    }
}

impl Transform for Affine {
    fn check(&self) -> Result<(), String> {
        self.degrees.check("degrees")?;
        self.translate.iter().try_for_each(|most| within("translate", *most, 0.0, 1.0))?;
        ordered("scale", self.scale)?;
        if self.scale[0] <= 0.0 {
            return Err(format!("`scale` is [{}, {}]; both must be above 0", self.scale[0], self.scale[1]));
        }
        let [x, y] = self.shear.ranges();
        ordered("shear", x)?;
        ordered("shear", y)
    }

    fn draw(&self, stream: &mut Stream, size: ImageSize) -> Draw {
        let degrees = self.degrees.draw(stream);
        let mut shift = |fraction: f64, side: u32| {
            let most = fraction * f64::from(side);
            stream.between(-most, most).round_ties_even()
        };
        let translate = [shift(self.translate[0], size.width()), shift(self.translate[1], size.height())];
        let scale = stream.between(self.scale[0], self.scale[1]);
        let shear = self.shear.ranges().map(|[low, high]| stream.between(low, high));
        let matrix = matrix(centre(size), degrees, translate, scale, shear);
        Draw::Warp(Warp { matrix, interpolation: self.interpolation, fill: self.fill })
    }
}

impl Shear {
    fn ranges(self) -> [[f64; 2]; 2] {
        match self {
            Self::X(spread) => [spread.ends(), [0.0; 2]],
            Self::Both([low_x, high_x, low_y, high_y]) => [[low_x, high_x], [low_y, high_y]],
        }
    }
}

/// Column and row, as torchvision has it for pictures of PIL.
pub(super) fn centre(size: ImageSize) -> [f64; 2] {
    [f64::from(size.width()) * 0.5, f64::from(size.height()) * 0.5]
}

/// From output to input, about a centre. Source: torchvision's `_get_inverse_affine_matrix`.
pub(super) fn matrix([x, y]: [f64; 2], degrees: f64, translate: [f64; 2], scale: f64, shear: [f64; 2]) -> [f64; 6] {
    let turn = degrees.to_radians();
    let [shear_x, shear_y] = shear.map(f64::to_radians);
    let (sine, cosine) = (libm::sin(turn - shear_y), libm::cos(turn - shear_y));
    let a = cosine / libm::cos(shear_y);
    let b = -cosine * libm::tan(shear_x) / libm::cos(shear_y) - libm::sin(turn);
    let c = sine / libm::cos(shear_y);
    let d = -sine * libm::tan(shear_x) / libm::cos(shear_y) + libm::cos(turn);
    let [m0, m1, m3, m4] = [d, -b, -c, a].map(|value| value / scale);
    let (left, up) = (-x - translate[0], -y - translate[1]);
    [m0, m1, m0 * left + m1 * up + x, m3, m4, m3 * left + m4 * up + y]
}
