//! Mirroring.

use super::sometimes::{Plain, Sometimes};
use super::{Draw, TransformRow};
use crate::Picture;

pub(super) const HORIZONTAL: TransformRow = TransformRow::new::<Sometimes<HorizontalFlip>>(
    "horizontal_flip",
    "Mirrors left to right; torchvision's RandomHorizontalFlip.",
    &[super::P_HALF],
);

pub(super) const VERTICAL: TransformRow = TransformRow::new::<Sometimes<VerticalFlip>>(
    "vertical_flip",
    "Mirrors top to bottom; torchvision's RandomVerticalFlip.",
    &[super::P_HALF],
);

#[derive(Clone, Copy, Debug)]
struct HorizontalFlip;

#[derive(Clone, Copy, Debug)]
struct VerticalFlip;

impl Plain for HorizontalFlip {
    const DRAW: Draw = Draw::HorizontalFlip;
}

impl Plain for VerticalFlip {
    const DRAW: Draw = Draw::VerticalFlip;
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
