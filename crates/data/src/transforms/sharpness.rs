//! Making edges harder or softer.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::{probability, within};
use super::{Draw, OptionRow, Scratch, Transform, TransformRow, colour};
use crate::Picture;

pub(super) const ROW: TransformRow = TransformRow::new::<AdjustSharpness>(
    "adjust_sharpness",
    "Makes edges harder or softer; torchvision's RandomAdjustSharpness.",
    &[
        OptionRow {
            name: "sharpness_factor",
            default: "2",
            doc: "0 is blurred, 1 the picture as it is, 2 twice as sharp.",
        },
        super::P_HALF,
    ],
);

/// Makes edges harder or softer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdjustSharpness {
    /// Not negative; 1 changes nothing.
    pub sharpness_factor: f64,
    /// Probability.
    pub p: f64,
}

impl Default for AdjustSharpness {
    fn default() -> Self {
        Self { sharpness_factor: 2.0, p: 0.5 }
    }
}

impl Transform for AdjustSharpness {
    fn check(&self) -> Result<(), String> {
        within("sharpness_factor", self.sharpness_factor, 0.0, 1000.0)?;
        probability(self.p)
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        if stream.chance(self.p) { Draw::Sharpness(self.sharpness_factor) } else { Draw::Nothing }
    }
}

/// From the picture smoothed at 0 to the picture at 1 and beyond. Source: Pillow's `ImageEnhance.Sharpness`, whose
/// `ImageFilter.SMOOTH` weighs a pixel five times and each of its eight neighbours once, and leaves the edge as it is.
pub(super) fn apply(picture: &mut Picture, factor: f64, scratch: &mut Scratch) {
    let (factor, bytes) = (factor as f32, picture.row_bytes());
    let before = &mut scratch.before;
    before.clear();
    before.extend_from_slice(picture.pixels());
    let rows = picture.pixels_mut().chunks_exact_mut(bytes).skip(1);
    for (row, around) in rows.zip(before.windows(3 * bytes).step_by(bytes)) {
        let (above, rest) = around.split_at(bytes);
        let (own, below) = rest.split_at(bytes);
        for at in 3..bytes.saturating_sub(3) {
            let three = |row: &[u8]| u32::from(row[at - 3]) + u32::from(row[at]) + u32::from(row[at + 3]);
            let sum = three(above) + three(own) + three(below) + 4 * u32::from(own[at]);
            // Rounded to the nearest; the sum of 13 weights is never half way.
            let smooth = ((2 * sum + 13) / 26) as u8;
            row[at] = colour::blend(smooth, own[at], factor);
        }
    }
}
