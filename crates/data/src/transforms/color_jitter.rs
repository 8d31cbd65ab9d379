//! Random brightness, contrast, saturation and hue.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::{ordered, probability};
use super::{Draw, OptionRow, Transform, TransformRow, colour};
use crate::Picture;

pub(super) const ROW: TransformRow = TransformRow::new::<ColorJitter>(
    "color_jitter",
    "Changes brightness, contrast, saturation and hue in random order; torchvision's ColorJitter.",
    &[
        OptionRow {
            name: "brightness",
            default: "0",
            doc: "b for a factor of max(0, 1 - b) to 1 + b, or [low, high].",
        },
        OptionRow { name: "contrast", default: "0", doc: "c for a factor of max(0, 1 - c) to 1 + c, or [low, high]." },
        OptionRow {
            name: "saturation",
            default: "0",
            doc: "s for a factor of max(0, 1 - s) to 1 + s, or [low, high].",
        },
        OptionRow {
            name: "hue",
            default: "0",
            doc: "h for a turn of -h to h parts of the circle, at most 0.5; or [low, high].",
        },
        super::P_ONE,
    ],
);

/// Changes brightness, contrast, saturation and hue in random order.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColorJitter {
    /// Factor around 1, never negative.
    pub brightness: Jitter,
    /// Factor around 1, never negative.
    pub contrast: Jitter,
    /// Factor around 1, never negative.
    pub saturation: Jitter,
    /// Parts of the circle around 0, at most a half.
    pub hue: Jitter,
    /// Probability.
    pub p: f64,
}

/// A range of a colour's change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, or two numbers in brackets")]
pub enum Jitter {
    /// So much to either side of what changes nothing.
    Around(f64),
    /// From the first to the second.
    Between([f64; 2]),
}

impl Default for ColorJitter {
    fn default() -> Self {
        let nothing = Jitter::Around(0.0);
        Self { brightness: nothing, contrast: nothing, saturation: nothing, hue: nothing, p: 1.0 }
    }
}

/// A change of colour, of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColourChange {
    /// By a factor.
    Brightness(f64),
    /// By a factor.
    Contrast(f64),
    /// By a factor.
    Saturation(f64),
    /// By a part of the circle.
    Hue(f64),
}

impl ColourChange {
    pub(super) fn apply(self, picture: &mut Picture) {
        match self {
            Self::Brightness(factor) => colour::brightness(picture, factor),
            Self::Contrast(factor) => colour::contrast(picture, factor),
            Self::Saturation(factor) => colour::saturation(picture, factor),
            Self::Hue(part) => colour::hue(picture, part),
        }
    }

    /// As torchvision leaves out what has a range of one point that changes nothing.
    fn is_nothing(self) -> bool {
        match self {
            Self::Brightness(factor) | Self::Contrast(factor) | Self::Saturation(factor) => factor == 1.0,
            Self::Hue(part) => part == 0.0,
        }
    }
}

impl Transform for ColorJitter {
    fn check(&self) -> Result<(), String> {
        probability(self.p)?;
        for (name, jitter) in
            [("brightness", self.brightness), ("contrast", self.contrast), ("saturation", self.saturation)]
        {
            jitter.check(name)?;
            let [low, high] = jitter.around_one();
            if low < 0.0 {
                return Err(format!("`{name}` is [{low}, {high}]; a factor is not negative"));
            }
        }
        self.hue.check("hue")?;
        let [low, high] = self.hue.around_zero();
        if low < -0.5 || high > 0.5 {
            return Err(format!("`hue` reaches from {low} to {high}; it must lie between -0.5 and 0.5"));
        }
        Ok(())
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        let chosen = stream.chance(self.p);
        let mut between = |[low, high]: [f64; 2]| stream.between(low, high);
        let mut changes = [
            ColourChange::Brightness(between(self.brightness.around_one())),
            ColourChange::Contrast(between(self.contrast.around_one())),
            ColourChange::Saturation(between(self.saturation.around_one())),
            ColourChange::Hue(between(self.hue.around_zero())),
        ];
        stream.shuffle(&mut changes);
        if !chosen {
            return Draw::Nothing;
        }
        Draw::ColorJitter(changes.into_iter().filter(|change| !change.is_nothing()).collect())
    }
}

impl Jitter {
    fn around_one(self) -> [f64; 2] {
        match self {
            Self::Around(most) => [(1.0 - most).max(0.0), 1.0 + most],
            Self::Between(ends) => ends,
        }
    }

    fn around_zero(self) -> [f64; 2] {
        match self {
            Self::Around(most) => [-most, most],
            Self::Between(ends) => ends,
        }
    }

    fn check(self, name: &str) -> Result<(), String> {
        match self {
            Self::Around(most) if !(most.is_finite() && most >= 0.0) => {
                Err(format!("`{name}` is {most}; it must be a number that is not negative"))
            }
            Self::Around(_) => Ok(()),
            Self::Between(ends) => ordered(name, ends),
        }
    }
}
