//! Blurring by a Gaussian.

use avizor_base::{ImageSize, Stream};
use serde::{Deserialize, Serialize};

use super::options::{ordered, probability, whole};
use super::{Draw, OptionRow, Scratch, Transform, TransformRow};
use crate::Picture;

pub(super) const ROW: TransformRow = TransformRow::new::<GaussianBlur>(
    "gaussian_blur",
    "Blurs by a Gaussian, edges reflected; torchvision's GaussianBlur.",
    &[
        OptionRow { name: "kernel_size", default: "3", doc: "Odd side of the kernel in pixels, or [width, height]." },
        OptionRow {
            name: "sigma",
            default: "[0.1, 2.0]",
            doc: "Standard deviation in pixels: a number, or [low, high].",
        },
        super::P_ONE,
    ],
);

/// Blurs by a Gaussian of random width.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianBlur {
    /// Odd, at most 99.
    pub kernel_size: KernelSize,
    /// In pixels, above 0.
    pub sigma: Sigma,
    /// Probability.
    pub p: f64,
}

/// Sides of a kernel in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "an odd number of pixels, or two of them in brackets")]
pub enum KernelSize {
    /// Both sides.
    Square(u32),
    /// Width, height.
    Sides([u32; 2]),
}

/// A standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, or two numbers in brackets")]
pub enum Sigma {
    /// Always it.
    Fixed(f64),
    /// From the first to the second.
    Between([f64; 2]),
}

impl Default for GaussianBlur {
    fn default() -> Self {
        Self { kernel_size: KernelSize::Square(3), sigma: Sigma::Between([0.1, 2.0]), p: 1.0 }
    }
}

/// A blur of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blur {
    /// Width and height of the kernel in pixels, odd.
    pub kernel_size: [u32; 2],
    /// In pixels.
    pub sigma: f64,
}

impl Transform for GaussianBlur {
    fn check(&self) -> Result<(), String> {
        probability(self.p)?;
        for side in self.kernel_size.sides() {
            if side % 2 == 0 || side > 99 {
                return Err(format!("`kernel_size` is {side}; it must be odd and at most 99"));
            }
        }
        let [low, high] = self.sigma.ends();
        ordered("sigma", [low, high])?;
        if low <= 0.0 {
            return Err(format!("`sigma` reaches from {low} to {high}; it must be above 0"));
        }
        Ok(())
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        let chosen = stream.chance(self.p);
        let [low, high] = self.sigma.ends();
        let blur = Blur { kernel_size: self.kernel_size.sides(), sigma: stream.between(low, high) };
        if chosen { Draw::GaussianBlur(blur) } else { Draw::Nothing }
    }
}

impl KernelSize {
    fn sides(self) -> [u32; 2] {
        match self {
            Self::Square(side) => [side; 2],
            Self::Sides(sides) => sides,
        }
    }
}

impl Sigma {
    fn ends(self) -> [f64; 2] {
        match self {
            Self::Fixed(sigma) => [sigma; 2],
            Self::Between(ends) => ends,
        }
    }
}

impl Blur {
    /// One pass along the rows into single precision, one along the columns back to eight bits, rounded half to even.
    pub(super) fn apply(&self, picture: &mut Picture, scratch: &mut Scratch) {
        let [columns, rows] = self.kernel_size.map(|side| weights(side as usize, self.sigma));
        let (height, row_bytes) = (picture.size().height() as usize, picture.row_bytes());
        let width = row_bytes / 3;
        let floats = &mut scratch.floats;
        let margin = columns.len() / 2;
        // The blurred rows, then one row with its reflected margins.
        let blurred_count = height * row_bytes;
        floats.resize(blurred_count + row_bytes.max(3 * (width + 2 * margin)), 0.0);
        let (blurred, line) = floats.split_at_mut(blurred_count);
        for (blurred, row) in blurred.chunks_exact_mut(row_bytes).zip(picture.pixels().chunks_exact(row_bytes)) {
            let line = &mut line[..3 * (width + 2 * margin)];
            let (pixels, inside) = (line.as_chunks_mut::<3>().0, margin..margin + width);
            for place in (0..margin).chain(inside.end..pixels.len()) {
                let x = reflected(place as isize - margin as isize, width);
                pixels[place] = std::array::from_fn(|channel| f32::from(row[3 * x + channel]));
            }
            let samples = pixels[inside].as_flattened_mut().iter_mut();
            samples.zip(row).for_each(|(to, from)| *to = f32::from(*from));
            weigh(blurred, columns.iter().enumerate().map(|(tap, weight)| (&line[3 * tap..], *weight)));
        }
        let sums = &mut line[..row_bytes];
        for (y, row) in picture.pixels_mut().chunks_exact_mut(row_bytes).enumerate() {
            let taps = rows.iter().enumerate().map(|(tap, weight)| {
                let from = reflected((y + tap) as isize - (rows.len() / 2) as isize, height);
                (&blurred[from * row_bytes..], *weight)
            });
            weigh(sums, taps);
            for (sample, sum) in row.iter_mut().zip(&*sums) {
                *sample = whole(*sum) as u8;
            }
        }
    }
}

/// `sums[i] = Σ weight · samples[i]` over the taps, in their order.
pub(super) fn weigh<'a>(sums: &mut [f32], taps: impl Iterator<Item = (&'a [f32], f32)>) {
    sums.fill(0.0);
    for (samples, weight) in taps {
        for (sum, sample) in sums.iter_mut().zip(samples) {
            *sum += weight * sample;
        }
    }
}

/// A Gaussian at whole pixels, summing to one.
pub(super) fn weights(side: usize, sigma: f64) -> Vec<f32> {
    let half = (side / 2) as f64;
    let density = |tap: usize| {
        let z = (tap as f64 - half) / sigma;
        libm::exp(-0.5 * z * z)
    };
    let sum: f64 = (0..side).map(density).sum();
    (0..side).map(|tap| (density(tap) / sum) as f32).collect()
}

/// The index inside that a mirror at the edge pixel's middle shows: `cb|abc|ba`. PyTorch's "reflect".
pub(super) fn reflected(index: isize, length: usize) -> usize {
    if length == 1 {
        return 0;
    }
    let period = 2 * (length as isize - 1);
    let place = index.rem_euclid(period);
    place.min(period - place) as usize
}
