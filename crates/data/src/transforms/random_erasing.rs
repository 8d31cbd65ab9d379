//! Covering a random rectangle.

use avizor_base::{ImageSize, Purpose, Seed, Stream};
use serde::{Deserialize, Serialize};

use super::options::{Colour, ordered, probability, within};
use super::{Draw, OptionRow, Transform, TransformRow};
use crate::Picture;

pub(super) const ROW: TransformRow = TransformRow::new::<RandomErasing>(
    "random_erasing",
    "Covers a random rectangle; torchvision's RandomErasing, before normalisation instead of after it.",
    &[
        super::P_HALF,
        OptionRow { name: "scale", default: "[0.02, 0.33]", doc: "Smallest and largest part of the area." },
        OptionRow { name: "ratio", default: "[0.3, 3.3]", doc: "Smallest and largest height over width." },
        OptionRow {
            name: "value",
            default: "[124, 116, 104]",
            doc: "Gray value, [r, g, b], or \"random\" for a random colour a pixel. ImageNet's normalisation makes 0 of the default.",
        },
    ],
);

/// Covers a random rectangle.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomErasing {
    /// Probability.
    pub p: f64,
    /// Smallest and largest part of the area.
    pub scale: [f64; 2],
    /// Smallest and largest height over width.
    pub ratio: [f64; 2],
    /// What covers it.
    pub value: Cover,
}

/// What covers a rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a gray value from 0 to 255, three of them in brackets, or \"random\"")]
pub enum Cover {
    /// One colour.
    Colour(Colour),
    /// See [`Many`].
    Many(Many),
}

/// Covers of many colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Many {
    /// A random colour for each pixel.
    Random,
}

impl Default for RandomErasing {
    fn default() -> Self {
        Self { p: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3], value: Cover::Colour(Colour::Rgb([124, 116, 104])) }
    }
}

/// A covered rectangle of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// First row.
    pub top: u32,
    /// First column.
    pub left: u32,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// What covers it.
    pub value: Cover,
    /// Of random colours.
    pub seed: u64,
}

impl Transform for RandomErasing {
    fn check(&self) -> Result<(), String> {
        probability(self.p)?;
        ordered("scale", self.scale)?;
        self.scale.iter().try_for_each(|part| within("scale", *part, 0.0, 1.0))?;
        ordered("ratio", self.ratio)?;
        if self.ratio[0] <= 0.0 {
            return Err(format!("`ratio` is [{}, {}]; both must be above 0", self.ratio[0], self.ratio[1]));
        }
        Ok(())
    }

    /// torchvision's ten tries for a rectangle that fits; without one the picture stays.
    fn draw(&self, stream: &mut Stream, size: ImageSize) -> Draw {
        let chosen = stream.chance(self.p);
        let seed = stream.next_u64();
        let logarithms = self.ratio.map(libm::log);
        for _ in 0..10 {
            let area = f64::from(size.area()) * stream.between(self.scale[0], self.scale[1]);
            let ratio = libm::exp(stream.between(logarithms[0], logarithms[1]));
            let height = (area * ratio).sqrt().round_ties_even() as u32;
            let width = (area / ratio).sqrt().round_ties_even() as u32;
            if height >= size.height() || width >= size.width() {
                continue;
            }
            let top = stream.below(u64::from(size.height() - height) + 1) as u32;
            let left = stream.below(u64::from(size.width() - width) + 1) as u32;
            let patch = Patch { top, left, height, width, value: self.value, seed };
            return if chosen { Draw::RandomErasing(patch) } else { Draw::Nothing };
        }
        Draw::Nothing
    }
}

impl Patch {
    /// What would lie outside the picture is left out.
    pub(super) fn apply(&self, picture: &mut Picture) {
        let width = picture.size().width() as usize;
        let left = (self.left as usize).min(width);
        let right = (self.left as usize + self.width as usize).min(width);
        let mut stream = Seed(self.seed).stream(Purpose::Augment, [0; 3]);
        let rows = picture.colours_mut().chunks_exact_mut(width);
        for row in rows.skip(self.top as usize).take(self.height as usize) {
            match self.value {
                Cover::Colour(colour) => row[left..right].fill(colour.rgb()),
                Cover::Many(Many::Random) => row[left..right].fill_with(|| {
                    let [red, green, blue, _] = stream.next_u32().to_le_bytes();
                    [red, green, blue]
                }),
            }
        }
    }
}
