//! Artefacts of JPEG files.
//!
//! No file is written: what a JPEG file loses is lost between colours and rounded frequencies, and the packing behind
//! them loses nothing. So the picture goes through libjpeg's steps up to there and back, in its whole numbers (the
//! accurate integer DCT, chroma at half size in both directions, smooth enlarging), and comes out as the bytes that
//! Pillow reads from the file that it wrote.

mod dct;
mod planes;
mod quantisation;

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::probability;
use super::{Draw, OptionRow, Scratch, Transform, TransformRow};
use crate::Picture;
use planes::Planes;

pub(super) const ROW: TransformRow = TransformRow::new::<Jpeg>(
    "jpeg",
    "Leaves what a JPEG file leaves; torchvision's JPEG.",
    &[
        OptionRow {
            name: "quality",
            default: "[50, 95]",
            doc: "Of the file, 1 (worst) to 100: a whole number, or [low, high].",
        },
        super::P_ONE,
    ],
);

/// Leaves what a JPEG file of random quality leaves.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jpeg {
    /// 1 to 100.
    pub quality: Quality,
    /// Probability.
    pub p: f64,
}

/// The quality of a JPEG file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a whole number from 1 to 100, or two of them in brackets")]
pub enum Quality {
    /// Always it.
    Fixed(u8),
    /// From the first to the second, both included.
    Between([u8; 2]),
}

impl Default for Jpeg {
    fn default() -> Self {
        Self { quality: Quality::Between([50, 95]), p: 1.0 }
    }
}

impl Transform for Jpeg {
    fn check(&self) -> Result<(), String> {
        probability(self.p)?;
        let [low, high] = self.quality.ends();
        if low == 0 || high > 100 || low > high {
            return Err(format!(
                "`quality` reaches from {low} to {high}; it must lie between 1 and 100, the smaller first"
            ));
        }
        Ok(())
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        let chosen = stream.chance(self.p);
        let [low, high] = self.quality.ends();
        let quality = low + stream.below(u64::from(high.saturating_sub(low)) + 1) as u8;
        if chosen { Draw::Jpeg(quality) } else { Draw::Nothing }
    }
}

impl Quality {
    fn ends(self) -> [u8; 2] {
        match self {
            Self::Fixed(quality) => [quality; 2],
            Self::Between(ends) => ends,
        }
    }
}

pub(super) fn apply(picture: &mut Picture, quality: u8, scratch: &mut Scratch) {
    let mut planes = Planes::of(picture, &mut scratch.before);
    let [brightness, colour] = quantisation::tables(quality);
    for (mut plane, table) in planes.each().into_iter().zip([&brightness, &colour, &colour]) {
        plane.each_block(|block| dct::round(block, table));
    }
    planes.put_into(picture);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing overflows, whatever the picture: the checks of arithmetic are on in tests.
    #[test]
    fn the_hardest_pictures_stay_in_range() {
        let size = ImageSize::new(33, 47).unwrap();
        let bytes = 3 * 33 * 47;
        let patterns: [fn(usize) -> u8; 4] = [
            |i| if i.is_multiple_of(2) { 0 } else { 255 },
            |i| if (i / 3 + i / 141).is_multiple_of(2) { 0 } else { 255 },
            |i| [0, 255, 0, 0, 0, 255, 255, 255, 0][i % 9],
            |i| (i as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0],
        ];
        for pattern in patterns {
            for quality in [0, 1, 2, 10, 50, 99, 100, 255] {
                let mut picture = Picture::new(size, (0..bytes).map(pattern).collect()).unwrap();
                apply(&mut picture, quality, &mut Scratch::default());
                assert_eq!(picture.pixels().len(), bytes);
            }
        }
    }

    #[test]
    fn one_colour_stays_nearly_itself() {
        for side in [1, 2, 3, 5, 8, 16, 17] {
            let mut picture = Picture::filled(ImageSize::new(side, 2 * side).unwrap(), [40, 120, 200]);
            apply(&mut picture, 90, &mut Scratch::default());
            assert!(picture.colours().iter().all(|colour| *colour == picture.colours()[0]), "{side}");
            let far = picture.colours()[0].iter().zip([40u8, 120, 200]).map(|(got, was)| got.abs_diff(was)).max();
            assert!(far <= Some(4), "{side}: {:?}", picture.colours()[0]);
        }
    }
}
