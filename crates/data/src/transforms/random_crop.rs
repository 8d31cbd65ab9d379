//! Cutting out a random part.

use avizor_base::{Filter, ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::{ordered, within};
use super::warp::{Fill, Interpolation, Warp};
use super::{Draw, OptionRow, Scratch, Transform, TransformRow};
use crate::Picture;

pub(super) const SHIFTED: TransformRow = TransformRow::new::<RandomCrop>(
    "random_crop",
    "Pads, then cuts out a part of the former size; torchvision's RandomCrop(size, padding).",
    &[OptionRow { name: "padding", default: "4", doc: "Pixels added at each side before cutting." }, super::FILL],
);

pub(super) const RESIZED: TransformRow = TransformRow::new::<RandomResizedCrop>(
    "random_resized_crop",
    "Cuts out a random part and scales it to the former size; torchvision's RandomResizedCrop.",
    &[
        OptionRow { name: "scale", default: "[0.08, 1.0]", doc: "Smallest and largest part of the area." },
        OptionRow { name: "ratio", default: "[0.75, 1.3333]", doc: "Smallest and largest width over height." },
    ],
);

/// Pads by some pixels at each side, then cuts out a part of the former size.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomCrop {
    /// Pixels.
    pub padding: u32,
    /// What the padding is.
    pub fill: Fill,
}

impl Default for RandomCrop {
    fn default() -> Self {
        Self { padding: 4, fill: Fill::default() }
    }
}

impl Transform for RandomCrop {
    fn check(&self) -> Result<(), String> {
        within("padding", f64::from(self.padding), 0.0, 4096.0)
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        let mut shift = || stream.below(2 * u64::from(self.padding) + 1) as f64 - f64::from(self.padding);
        let (down, right) = (shift(), shift());
        let matrix = [1.0, 0.0, right, 0.0, 1.0, down];
        Draw::Warp(Warp { matrix, interpolation: Interpolation::Nearest, fill: self.fill })
    }
}

/// Cuts out a random part and scales it to the former size, bilinear with antialiasing.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomResizedCrop {
    /// Smallest and largest part of the area.
    pub scale: [f64; 2],
    /// Smallest and largest width over height.
    pub ratio: [f64; 2],
}

impl Default for RandomResizedCrop {
    fn default() -> Self {
        Self { scale: [0.08, 1.0], ratio: [3.0 / 4.0, 4.0 / 3.0] }
    }
}

/// A rectangle of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First row.
    pub top: u32,
    /// First column.
    pub left: u32,
    /// Of the rectangle.
    pub size: ImageSize,
}

impl Transform for RandomResizedCrop {
    fn check(&self) -> Result<(), String> {
        ordered("scale", self.scale)?;
        self.scale.iter().try_for_each(|part| within("scale", *part, 0.0, 1.0))?;
        ordered("ratio", self.ratio)?;
        if self.ratio[0] <= 0.0 {
            return Err(format!("`ratio` is [{}, {}]; both must be above 0", self.ratio[0], self.ratio[1]));
        }
        Ok(())
    }

    /// torchvision's ten tries for a part that fits, else the largest in the middle whose ratio is allowed.
    fn draw(&self, stream: &mut Stream, size: ImageSize) -> Draw {
        let logarithms = self.ratio.map(libm::log);
        for _ in 0..10 {
            let area = f64::from(size.area()) * stream.between(self.scale[0], self.scale[1]);
            let ratio = libm::exp(stream.between(logarithms[0], logarithms[1]));
            let width = (area * ratio).sqrt().round_ties_even() as u32;
            let height = (area / ratio).sqrt().round_ties_even() as u32;
            let part = ImageSize::new(height, width).filter(|_| height <= size.height() && width <= size.width());
            if let Some(part) = part {
                let top = stream.below(u64::from(size.height() - height) + 1) as u32;
                let left = stream.below(u64::from(size.width() - width) + 1) as u32;
                return Draw::RandomResizedCrop(Part { top, left, size: part });
            }
        }
        Draw::RandomResizedCrop(self.middle(size))
    }
}

impl RandomResizedCrop {
    fn middle(&self, size: ImageSize) -> Part {
        let (height, width) = (f64::from(size.height()), f64::from(size.width()));
        let ratio = width / height;
        let side = |length: f64, most: u32| (length.round_ties_even() as u32).clamp(1, most);
        let (height, width) = if ratio < self.ratio[0] {
            (side(width / self.ratio[0], size.height()), size.width())
        } else if ratio > self.ratio[1] {
            (size.height(), side(height * self.ratio[1], size.width()))
        } else {
            (size.height(), size.width())
        };
        let part = ImageSize::new(height, width).unwrap_or(size);
        Part { top: (size.height() - part.height()) / 2, left: (size.width() - part.width()) / 2, size: part }
    }
}

impl Part {
    /// A part that does not lie in the picture changes nothing.
    pub(super) fn apply(&self, picture: &mut Picture, scratch: &mut Scratch) {
        let (height, width) = (self.size.height(), self.size.width());
        let size = picture.size();
        let fits = |first: u32, length: u32, whole: u32| first.checked_add(length).is_some_and(|end| end <= whole);
        if !fits(self.top, height, size.height()) || !fits(self.left, width, size.width()) {
            return;
        }
        let (left, bytes) = (3 * self.left as usize, 3 * width as usize);
        let mut pixels = std::mem::take(&mut scratch.before);
        pixels.clear();
        let rows = picture.pixels().chunks_exact(picture.row_bytes()).skip(self.top as usize).take(height as usize);
        rows.for_each(|row| pixels.extend_from_slice(&row[left..][..bytes]));
        let Some(part) = Picture::new(self.size, pixels) else { unreachable!("the part lies in the picture") };
        scratch.resizer.resample_into(&part, size, Filter::Bilinear, picture.pixels_mut());
        scratch.before = part.into_pixels();
    }
}
