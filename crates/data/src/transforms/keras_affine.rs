//! Keras' random warp.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::{Colour, ordered, within};
use super::warp::{Extension, Fill, Interpolation, Warp};
use super::{Draw, OptionRow, Transform, TransformRow};

pub(super) const ROW: TransformRow = TransformRow::new::<KerasAffine>(
    "keras_affine",
    "Turns, shifts, shears and zooms at once, each side on its own, bilinear; Keras' ImageDataGenerator.",
    &[
        OptionRow { name: "rotation_range", default: "0", doc: "Degrees r: the angle lies in -r to r." },
        OptionRow {
            name: "width_shift_range",
            default: "0",
            doc: "Most shift to either side, as a part of the width.",
        },
        OptionRow { name: "height_shift_range", default: "0", doc: "Most shift up or down, as a part of the height." },
        OptionRow { name: "shear_range", default: "0", doc: "Degrees s (not radians): the shear lies in -s to s." },
        OptionRow {
            name: "zoom_range",
            default: "0",
            doc: "z for 1 - z to 1 + z, or [low, high]; drawn for each side.",
        },
        OptionRow { name: "fill_mode", default: "\"nearest\"", doc: "\"nearest\", \"reflect\" or \"constant\"." },
        OptionRow { name: "cval", default: "0", doc: "Gray value or [r, g, b] outside, when constant." },
    ],
);

/// Turns, shifts, shears and zooms at once, in Keras' order and with its ranges.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KerasAffine {
    /// In degrees.
    pub rotation_range: f64,
    /// As a part of the width.
    pub width_shift_range: f64,
    /// As a part of the height.
    pub height_shift_range: f64,
    /// In degrees.
    pub shear_range: f64,
    /// Drawn for each side on its own. Above 1 the picture becomes smaller, as in Keras.
    pub zoom_range: Zoom,
    /// What lies outside.
    pub fill_mode: FillMode,
    /// The colour of [`FillMode::Constant`].
    pub cval: Colour,
}

/// Range of the zoom.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, or two numbers in brackets")]
pub enum Zoom {
    /// From one minus it to one plus it.
    Around(f64),
    /// From the first to the second.
    Between([f64; 2]),
}

/// What lies outside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FillMode {
    /// The edge goes on.
    Nearest,
    /// The mirror image.
    Reflect,
    /// One colour.
    Constant,
}

impl Default for KerasAffine {
    fn default() -> Self {
        Self {
            rotation_range: 0.0,
            width_shift_range: 0.0,
            height_shift_range: 0.0,
            shear_range: 0.0,
            zoom_range: Zoom::Around(0.0),
            fill_mode: FillMode::Nearest,
            cval: Colour::Gray(0),
        }
    }
}

impl Transform for KerasAffine {
    fn check(&self) -> Result<(), String> {
        within("rotation_range", self.rotation_range, 0.0, 360.0)?;
        within("width_shift_range", self.width_shift_range, 0.0, 1.0)?;
        within("height_shift_range", self.height_shift_range, 0.0, 1.0)?;
        // At a right angle nothing is left of the picture.
        within("shear_range", self.shear_range, 0.0, 89.0)?;
        let [low, high] = self.zoom_range.ends();
        ordered("zoom_range", [low, high])?;
        if low <= 0.0 {
            return Err(format!("`zoom_range` reaches from {low} to {high}; both must be above 0"));
        }
        Ok(())
    }

    fn draw(&self, stream: &mut Stream, size: ImageSize) -> Draw {
        let mut around = |most: f64| stream.between(-most, most);
        let degrees = around(self.rotation_range);
        let down = around(self.height_shift_range) * f64::from(size.height());
        let right = around(self.width_shift_range) * f64::from(size.width());
        let shear = around(self.shear_range);
        let [low, high] = self.zoom_range.ends();
        let zoom = [stream.between(low, high), stream.between(low, high)];
        let fill = match self.fill_mode {
            FillMode::Nearest => Fill::Extended(Extension::Nearest),
            FillMode::Reflect => Fill::Extended(Extension::Reflect),
            FillMode::Constant => Fill::Colour(self.cval),
        };
        let matrix = matrix(size, degrees, [down, right], shear, zoom);
        Draw::Warp(Warp { matrix, interpolation: Interpolation::Bilinear, fill })
    }
}

impl Zoom {
    fn ends(self) -> [f64; 2] {
        match self {
            Self::Around(most) => [1.0 - most, 1.0 + most],
            Self::Between(ends) => ends,
        }
    }
}

/// From output to input: rotation · shift · shear · zoom about the centre, over (row, column) in Keras, over
/// (column, row) here. Source: Keras' `apply_affine_transform` and `transform_matrix_offset_center`.
pub(super) fn matrix(size: ImageSize, degrees: f64, shift: [f64; 2], shear: f64, zoom: [f64; 2]) -> [f64; 6] {
    let (turn, shear) = (degrees.to_radians(), shear.to_radians());
    let (sine, cosine) = (libm::sin(turn), libm::cos(turn));
    let (slant, shrink) = (libm::sin(shear), libm::cos(shear));
    // Rows of the product: what a row and a column of the output add to the row, then to the column of the input.
    let down = [cosine * zoom[0], (-cosine * slant - sine * shrink) * zoom[1]];
    let right = [sine * zoom[0], (-sine * slant + cosine * shrink) * zoom[1]];
    let offset = [cosine * shift[0] - sine * shift[1], sine * shift[0] + cosine * shift[1]];
    let (y, x) = (f64::from(size.height()) / 2.0, f64::from(size.width()) / 2.0);
    [
        right[1],
        right[0],
        x + offset[1] - right[1] * x - right[0] * y,
        down[1],
        down[0],
        y + offset[0] - down[1] * x - down[0] * y,
    ]
}
