//! Changes of many kinds, chosen at random: RandAugment and TrivialAugment.
//!
//! Sources: Cubuk et al. 2020, arXiv:1909.13719; Müller & Hutter 2021, arXiv:2103.10158; magnitudes as torchvision's v2.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::within;
use super::warp::{Fill, Interpolation, Warp};
use super::{ColourChange, Draw, OptionRow, Transform, TransformRow, affine, rotation};

pub(super) const RAND: TransformRow = TransformRow::new::<RandAugment>(
    "rand_augment",
    "Makes a few changes of one strength, each of one of 14 kinds; torchvision's RandAugment.",
    &[
        OptionRow { name: "num_ops", default: "2", doc: "How many, one after the other." },
        OptionRow {
            name: "magnitude",
            default: "9",
            doc: "Their strength, from 0 to one less than `num_magnitude_bins`.",
        },
        BINS,
        super::INTERPOLATION,
        super::FILL,
    ],
);

pub(super) const TRIVIAL: TransformRow = TransformRow::new::<TrivialAugmentWide>(
    "trivial_augment_wide",
    "Makes one change of random strength of one of 14 kinds; torchvision's TrivialAugmentWide.",
    &[BINS, super::INTERPOLATION, super::FILL],
);

const BINS: OptionRow =
    OptionRow { name: "num_magnitude_bins", default: "31", doc: "How many strengths there are, at least 2." };

/// Makes a few changes of one strength.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandAugment {
    /// How many changes.
    pub num_ops: u32,
    /// From 0 to one less than the number of strengths.
    pub magnitude: u32,
    /// How many strengths there are.
    pub num_magnitude_bins: u32,
    /// Of values between pixels.
    pub interpolation: Interpolation,
    /// What comes in at the edges.
    pub fill: Fill,
}

/// Makes one change of random strength.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrivialAugmentWide {
    /// How many strengths there are.
    pub num_magnitude_bins: u32,
    /// Of values between pixels.
    pub interpolation: Interpolation,
    /// What comes in at the edges.
    pub fill: Fill,
}

impl Default for RandAugment {
    fn default() -> Self {
        let (interpolation, fill) = (Interpolation::default(), Fill::default());
        Self { num_ops: 2, magnitude: 9, num_magnitude_bins: 31, interpolation, fill }
    }
}

impl Default for TrivialAugmentWide {
    fn default() -> Self {
        Self { num_magnitude_bins: 31, interpolation: Interpolation::default(), fill: Fill::default() }
    }
}

impl Transform for RandAugment {
    fn check(&self) -> Result<(), String> {
        within("num_ops", f64::from(self.num_ops), 0.0, 100.0)?;
        check_bins(self.num_magnitude_bins)?;
        within("magnitude", f64::from(self.magnitude), 0.0, f64::from(self.num_magnitude_bins - 1))
    }

    fn draw(&self, stream: &mut Stream, size: ImageSize) -> Draw {
        let scale = Scale { space: &RAND_SPACE, bins: self.num_magnitude_bins, size };
        let mut one = || {
            let (kind, sign) = kind_and_sign(stream);
            kind.draw(scale.magnitude(kind, self.magnitude) * sign, size, self.interpolation, self.fill)
        };
        Draw::Several((0..self.num_ops).map(|_| one()).collect())
    }
}

impl Transform for TrivialAugmentWide {
    fn check(&self) -> Result<(), String> {
        check_bins(self.num_magnitude_bins)
    }

    fn draw(&self, stream: &mut Stream, size: ImageSize) -> Draw {
        let scale = Scale { space: &WIDE_SPACE, bins: self.num_magnitude_bins, size };
        let (kind, sign) = kind_and_sign(stream);
        let bin = stream.below(u64::from(self.num_magnitude_bins)) as u32;
        kind.draw(scale.magnitude(kind, bin) * sign, size, self.interpolation, self.fill)
    }
}

fn check_bins(bins: u32) -> Result<(), String> {
    within("num_magnitude_bins", f64::from(bins), 2.0, 1e6)
}

/// A kind of change, all equally likely, and the sign of its strength, both equally likely where it has one.
fn kind_and_sign(stream: &mut Stream) -> (Kind, f64) {
    let kind = Kind::ALL[stream.below(Kind::ALL.len() as u64) as usize];
    let negative = stream.chance(0.5);
    (kind, if negative && kind.is_signed() { -1.0 } else { 1.0 })
}

/// A kind of change. Names are torchvision's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
}

/// The strongest of each kind.
pub(super) struct Space {
    shear: f32,
    /// Pixels along a side.
    translate: fn(u32) -> f32,
    degrees: f32,
    /// Of a factor above and below 1.
    factor: f32,
    /// That posterizing takes away.
    bits: f64,
}

pub(super) const RAND_SPACE: Space = Space {
    shear: 0.3,
    translate: |side| (150.0 / 331.0 * f64::from(side)) as f32,
    degrees: 30.0,
    factor: 0.9,
    bits: 4.0,
};

pub(super) const WIDE_SPACE: Space =
    Space { shear: 0.99, translate: |_| 32.0, degrees: 135.0, factor: 0.99, bits: 6.0 };

/// The strengths of a space for pictures of a size.
pub(super) struct Scale<'s> {
    pub(super) space: &'s Space,
    pub(super) bins: u32,
    pub(super) size: ImageSize,
}

impl Scale<'_> {
    /// The strength number `bin`, without its sign, in torchvision's single precision.
    pub(super) fn magnitude(&self, kind: Kind, bin: u32) -> f64 {
        let &Space { shear, translate, degrees, factor, bits } = self.space;
        let evenly = |from, to| f64::from(self.evenly(from, to, bin));
        match kind {
            Kind::Identity | Kind::AutoContrast | Kind::Equalize => 0.0,
            Kind::ShearX | Kind::ShearY => evenly(0.0, shear),
            Kind::TranslateX => evenly(0.0, translate(self.size.width())),
            Kind::TranslateY => evenly(0.0, translate(self.size.height())),
            Kind::Rotate => evenly(0.0, degrees),
            Kind::Brightness | Kind::Color | Kind::Contrast | Kind::Sharpness => evenly(0.0, factor),
            Kind::Posterize => {
                let step = (f64::from(self.bins - 1) / bits) as f32;
                f64::from((8.0 - bin as f32 / step).round_ties_even())
            }
            Kind::Solarize => evenly(1.0, 0.0),
        }
    }

    /// `torch.linspace`: each half counts from its own end.
    fn evenly(&self, from: f32, to: f32, bin: u32) -> f32 {
        let step = (to - from) / (self.bins - 1) as f32;
        if bin < self.bins / 2 { from + step * bin as f32 } else { to - step * (self.bins - 1 - bin) as f32 }
    }
}

impl Kind {
    pub(super) const ALL: [Self; 14] = [
        Self::Identity,
        Self::ShearX,
        Self::ShearY,
        Self::TranslateX,
        Self::TranslateY,
        Self::Rotate,
        Self::Brightness,
        Self::Color,
        Self::Contrast,
        Self::Sharpness,
        Self::Posterize,
        Self::Solarize,
        Self::AutoContrast,
        Self::Equalize,
    ];

    fn is_signed(self) -> bool {
        !matches!(self, Self::Identity | Self::Posterize | Self::Solarize | Self::AutoContrast | Self::Equalize)
    }

    /// The change of this strength.
    pub(super) fn draw(self, magnitude: f64, size: ImageSize, interpolation: Interpolation, fill: Fill) -> Draw {
        let warp = |matrix| Draw::Warp(Warp { matrix, interpolation, fill });
        // Shears leave the top left corner where it is.
        let shear = |degrees| warp(affine::matrix([0.0; 2], 0.0, [0.0; 2], 1.0, degrees));
        let shift = |pixels| warp(affine::matrix([0.0; 2], 0.0, pixels, 1.0, [0.0; 2]));
        let colour = |change| Draw::ColorJitter(vec![change]);
        let (slant, factor) = (libm::atan(magnitude).to_degrees(), 1.0 + magnitude);
        match self {
            Self::Identity => Draw::Nothing,
            Self::ShearX => shear([slant, 0.0]),
            Self::ShearY => shear([0.0, slant]),
            Self::TranslateX => shift([magnitude.trunc(), 0.0]),
            Self::TranslateY => shift([0.0, magnitude.trunc()]),
            Self::Rotate => warp(rotation::matrix(size, magnitude)),
            Self::Brightness => colour(ColourChange::Brightness(factor)),
            Self::Color => colour(ColourChange::Saturation(factor)),
            Self::Contrast => colour(ColourChange::Contrast(factor)),
            Self::Sharpness => Draw::Sharpness(factor),
            Self::Posterize => Draw::Posterize(magnitude as u8),
            Self::Solarize => Draw::Solarize(255.0 * magnitude),
            Self::AutoContrast => Draw::Autocontrast,
            Self::Equalize => Draw::Equalize,
        }
    }
}
