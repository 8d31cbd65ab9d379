//! Taking the colour away.

use super::sometimes::{Plain, Sometimes};
use super::{Draw, OptionRow, TransformRow, colour};
use crate::Picture;

pub(super) const ROW: TransformRow = TransformRow::new::<Sometimes<Grayscale>>(
    "grayscale",
    "Leaves only the brightness of every pixel; torchvision's RandomGrayscale.",
    &[OptionRow { name: "p", default: "0.1", doc: "Probability." }],
);

#[derive(Clone, Copy, Debug)]
struct Grayscale;

impl Plain for Grayscale {
    const P: f64 = 0.1;
    const DRAW: Draw = Draw::Grayscale;
}

pub(super) fn apply(picture: &mut Picture) {
    for pixel in picture.colours_mut() {
        *pixel = [colour::luma(*pixel); 3];
    }
}
