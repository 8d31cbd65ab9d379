//! Turning by a random angle.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::Spread;
use super::warp::{Fill, Interpolation, Warp};
use super::{Draw, OptionRow, Transform, TransformRow};

pub(super) const ROW: TransformRow = TransformRow::new::<Rotation>(
    "rotation",
    "Turns about the centre by a random angle; torchvision's RandomRotation without `expand`.",
    &[
        OptionRow { name: "degrees", default: "0", doc: "Anticlockwise: a number d for -d to d, or [low, high]." },
        super::INTERPOLATION,
        super::FILL,
    ],
);

/// Turns about the centre by an angle uniform in `degrees`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rotation {
    /// Anticlockwise.
    pub degrees: Spread,
    /// Of values between pixels.
    pub interpolation: Interpolation,
    /// What comes in at the corners.
    pub fill: Fill,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { degrees: Spread::Around(0.0), interpolation: Interpolation::default(), fill: Fill::default() }
    }
}

impl Transform for Rotation {
    fn check(&self) -> Result<(), String> {
        self.degrees.check("degrees")
    }

    fn draw(&self, stream: &mut Stream, size: ImageSize) -> Draw {
        let matrix = matrix(size, self.degrees.draw(stream));
        Draw::Warp(Warp { matrix, interpolation: self.interpolation, fill: self.fill })
    }
}

/// Source: Pillow's `Image.rotate`.
pub(super) fn matrix(size: ImageSize, degrees: f64) -> [f64; 6] {
    let angle = -degrees.to_radians();
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let (x, y) = (f64::from(size.width()) / 2.0, f64::from(size.height()) / 2.0);
    [cosine, sine, x - cosine * x - sine * y, -sine, cosine, y + sine * x - cosine * y]
}
