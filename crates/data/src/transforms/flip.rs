//! Mirroring.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::probability;
use super::{Draw, OptionRow, Transform, TransformRow};
use crate::Picture;

pub(super) const HORIZONTAL: TransformRow = TransformRow::new::<HorizontalFlip>(
    "horizontal_flip",
    "Mirrors left to right; torchvision's RandomHorizontalFlip.",
    &[OptionRow { name: "p", default: "0.5", doc: "Probability." }],
);

pub(super) const VERTICAL: TransformRow = TransformRow::new::<VerticalFlip>(
    "vertical_flip",
    "Mirrors top to bottom; torchvision's RandomVerticalFlip.",
    &[OptionRow { name: "p", default: "0.5", doc: "Probability." }],
);

/// Mirrors left to right with probability `p`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HorizontalFlip {
    /// Probability.
    pub p: f64,
}

/// Mirrors top to bottom with probability `p`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerticalFlip {
    /// Probability.
    pub p: f64,
}

impl Default for HorizontalFlip {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Default for VerticalFlip {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Transform for HorizontalFlip {
    fn check(&self) -> Result<(), String> {
        probability(self.p)
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        if stream.chance(self.p) { Draw::HorizontalFlip } else { Draw::Nothing }
    }
}

impl Transform for VerticalFlip {
    fn check(&self) -> Result<(), String> {
        probability(self.p)
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        if stream.chance(self.p) { Draw::VerticalFlip } else { Draw::Nothing }
    }
}

pub(super) fn mirror(picture: &mut Picture) {
    let width = picture.size().width() as usize;
    picture.colours_mut().chunks_exact_mut(width).for_each(<[_]>::reverse);
}

pub(super) fn upend(picture: &mut Picture) {
    let bytes = picture.row_bytes();
    let pixels = picture.pixels_mut();
    let half = pixels.len() / bytes / 2 * bytes;
    let (top, bottom) = pixels.split_at_mut(half);
    for (upper, lower) in top.chunks_exact_mut(bytes).zip(bottom.rchunks_exact_mut(bytes)) {
        upper.swap_with_slice(lower);
    }
}
