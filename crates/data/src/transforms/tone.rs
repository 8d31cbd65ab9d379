//! Curves that every sample goes through, as Pillow's `ImageOps` has them and torchvision calls them: invert, posterize,
//! solarize, autocontrast, equalize.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::{probability, within};
use super::sometimes::{Plain, Sometimes};
use super::{Draw, OptionRow, Transform, TransformRow};
use crate::Picture;

pub(super) const INVERT: TransformRow = TransformRow::new::<Sometimes<Invert>>(
    "invert",
    "Makes the negative; torchvision's RandomInvert.",
    &[super::P_HALF],
);

pub(super) const POSTERIZE: TransformRow = TransformRow::new::<Posterize>(
    "posterize",
    "Leaves the upper bits of every sample; torchvision's RandomPosterize.",
    &[OptionRow { name: "bits", default: "4", doc: "How many are left, 1 to 8." }, super::P_HALF],
);

pub(super) const SOLARIZE: TransformRow = TransformRow::new::<Solarize>(
    "solarize",
    "Makes the negative of bright samples; torchvision's RandomSolarize.",
    &[OptionRow { name: "threshold", default: "128", doc: "The least of them, 0 (all) to 256 (none)." }, super::P_HALF],
);

pub(super) const AUTOCONTRAST: TransformRow = TransformRow::new::<Sometimes<Autocontrast>>(
    "autocontrast",
    "Stretches each channel from its darkest to its brightest sample over the whole range; torchvision's RandomAutocontrast.",
    &[super::P_HALF],
);

pub(super) const EQUALIZE: TransformRow = TransformRow::new::<Sometimes<Equalize>>(
    "equalize",
    "Makes all brightnesses of each channel about equally frequent; torchvision's RandomEqualize.",
    &[super::P_HALF],
);

#[derive(Clone, Copy, Debug)]
struct Invert;

#[derive(Clone, Copy, Debug)]
struct Autocontrast;

#[derive(Clone, Copy, Debug)]
struct Equalize;

impl Plain for Invert {
    const DRAW: Draw = Draw::Invert;
}

impl Plain for Autocontrast {
    const DRAW: Draw = Draw::Autocontrast;
}

impl Plain for Equalize {
    const DRAW: Draw = Draw::Equalize;
}

/// Leaves the upper bits of every sample.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Posterize {
    /// 1 to 8.
    pub bits: u8,
    /// Probability.
    pub p: f64,
}

impl Default for Posterize {
    fn default() -> Self {
        Self { bits: 4, p: 0.5 }
    }
}

impl Transform for Posterize {
    fn check(&self) -> Result<(), String> {
        within("bits", f64::from(self.bits), 1.0, 8.0)?;
        probability(self.p)
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        if stream.chance(self.p) { Draw::Posterize(self.bits) } else { Draw::Nothing }
    }
}

/// Makes the negative of bright samples.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Solarize {
    /// The least sample that changes.
    pub threshold: f64,
    /// Probability.
    pub p: f64,
}

impl Default for Solarize {
    fn default() -> Self {
        Self { threshold: 128.0, p: 0.5 }
    }
}

impl Transform for Solarize {
    fn check(&self) -> Result<(), String> {
        within("threshold", self.threshold, 0.0, 256.0)?;
        probability(self.p)
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        if stream.chance(self.p) { Draw::Solarize(self.threshold) } else { Draw::Nothing }
    }
}

/// A new value for every sample.
type Curve = [u8; 256];

pub(super) fn invert(picture: &mut Picture) {
    picture.pixels_mut().iter_mut().for_each(|sample| *sample = !*sample);
}

/// With no bits left nothing is: black.
pub(super) fn posterize(picture: &mut Picture, bits: u8) {
    let mask = !0xffu8.checked_shr(u32::from(bits)).unwrap_or(0);
    picture.pixels_mut().iter_mut().for_each(|sample| *sample &= mask);
}

pub(super) fn solarize(picture: &mut Picture, threshold: f64) {
    let curve = curve(|sample| if f64::from(sample) < threshold { sample } else { !sample });
    bend(picture, &[curve; 3]);
}

/// Source: Pillow's `ImageOps.autocontrast` without a cutoff.
pub(super) fn autocontrast(picture: &mut Picture) {
    let curves = histograms(picture).map(|counts| {
        let low = counts.iter().position(|&count| count > 0).unwrap_or(0);
        let high = counts.iter().rposition(|&count| count > 0).unwrap_or(0);
        if high <= low {
            return curve(|sample| sample);
        }
        let scale = 255.0 / (high - low) as f64;
        let offset = -(low as f64) * scale;
        // A cast cuts the fraction and keeps to 0 to 255, as Pillow does in two steps.
        curve(|sample| (f64::from(sample) * scale + offset) as u8)
    });
    bend(picture, &curves);
}

/// Source: Pillow's `ImageOps.equalize`.
pub(super) fn equalize(picture: &mut Picture) {
    let curves = histograms(picture).map(|counts| {
        let last = counts.iter().rev().find(|&&count| count > 0).copied().unwrap_or(0);
        let step = (counts.iter().sum::<u64>() - last) / 255;
        if step == 0 {
            return curve(|sample| sample);
        }
        let mut below = step / 2;
        curve(|sample| {
            let value = below / step;
            below += counts[usize::from(sample)];
            value.min(255) as u8
        })
    });
    bend(picture, &curves);
}

fn curve(mut of: impl FnMut(u8) -> u8) -> Curve {
    std::array::from_fn(|sample| of(sample as u8))
}

/// How often each value occurs in red, green and blue.
fn histograms(picture: &Picture) -> [[u64; 256]; 3] {
    let mut counts = [[0; 256]; 3];
    for colour in picture.colours() {
        for (counts, sample) in counts.iter_mut().zip(colour) {
            counts[usize::from(*sample)] += 1;
        }
    }
    counts
}

fn bend(picture: &mut Picture, [red, green, blue]: &[Curve; 3]) {
    for colour in picture.colours_mut() {
        let [r, g, b] = colour.map(usize::from);
        *colour = [red[r], green[g], blue[b]];
    }
}
