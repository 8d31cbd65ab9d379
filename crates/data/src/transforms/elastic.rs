//! Displacing every pixel a little, its neighbours nearly as much.

use avizor_base::{ImageSize, Purpose, Seed, Stream};
use serde::{Deserialize, Serialize};

use super::gaussian_blur::{reflected, weigh, weights};
use super::look_up::{Place, Places, fixed, look_up};
use super::options::{PerSide, probability, within};
use super::warp::{Fill, Interpolation};
use super::{Draw, OptionRow, Scratch, Transform, TransformRow};
use crate::Picture;

pub(super) const ROW: TransformRow = TransformRow::new::<Elastic>(
    "elastic",
    "Displaces every pixel, its neighbours nearly as much, like seen through water; torchvision's ElasticTransform.",
    &[
        OptionRow {
            name: "alpha",
            default: "50",
            doc: "Strength, or [x, y]; 50 displaces by 0.8 pixels or so at a sigma of 5.",
        },
        OptionRow {
            name: "sigma",
            default: "5",
            doc: "Smoothness in pixels, or [x, y]: the standard deviation of the Gaussian that smooths displacements.",
        },
        super::BILINEAR,
        super::FILL,
        super::P_ONE,
    ],
);

/// Displaces every pixel, its neighbours nearly as much.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elastic {
    /// Strength along x and y.
    pub alpha: PerSide,
    /// Smoothness along x and y, in pixels.
    pub sigma: PerSide,
    /// Of values between pixels.
    pub interpolation: Interpolation,
    /// What comes in at the edges.
    pub fill: Fill,
    /// Probability.
    pub p: f64,
}

impl Default for Elastic {
    fn default() -> Self {
        Self {
            alpha: PerSide::Both(50.0),
            sigma: PerSide::Both(5.0),
            interpolation: Interpolation::Bilinear,
            fill: Fill::default(),
            p: 1.0,
        }
    }
}

/// The displacements of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Displacement {
    /// Strength along x and y.
    pub alpha: [f64; 2],
    /// Smoothness along x and y, in pixels.
    pub sigma: [f64; 2],
    /// Of the displacements before they are smoothed.
    pub seed: u64,
    /// How a value between pixels is made.
    pub interpolation: Interpolation,
    /// What lies outside the picture.
    pub fill: Fill,
}

impl Transform for Elastic {
    fn check(&self) -> Result<(), String> {
        probability(self.p)?;
        self.alpha.sides().iter().try_for_each(|alpha| within("alpha", *alpha, 0.0, 1e5))?;
        // Beyond it smoothing takes longer than training.
        self.sigma.sides().iter().try_for_each(|sigma| within("sigma", *sigma, 0.01, 100.0))
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        let chosen = stream.chance(self.p);
        let displacement = Displacement {
            alpha: self.alpha.sides(),
            sigma: self.sigma.sides(),
            seed: stream.next_u64(),
            interpolation: self.interpolation,
            fill: self.fill,
        };
        if chosen { Draw::Elastic(displacement) } else { Draw::Nothing }
    }
}

impl Displacement {
    pub(super) fn apply(&self, picture: &mut Picture, scratch: &mut Scratch) {
        let Scratch { before, floats, .. } = scratch;
        let (width, count) = (picture.size().width() as usize, picture.colours().len());
        let field = self.field(count, width, floats);
        look_up(&field, self.interpolation, self.fill, picture, before);
    }

    /// Uniform in -1 to 1, smoothed. Each direction's kernel is as long as its own sigma asks for, on both sides; so
    /// torchvision has it.
    fn field<'f>(&self, count: usize, width: usize, floats: &'f mut Vec<f32>) -> Field<'f> {
        let kernels = self.sigma.map(|sigma| {
            let side = (8.0 * sigma + 1.0) as usize | 1;
            self.sigma.map(|sigma| weights(side, sigma))
        });
        let margin = kernels.iter().map(|[columns, _]| columns.len() / 2).max().unwrap_or(0);
        // The two fields, one before its columns are smoothed, and one row with its reflected margins.
        floats.resize(3 * count + width + 2 * margin, 0.0);
        let (fields, rest) = floats.split_at_mut(2 * count);
        let (noise, line) = rest.split_at_mut(count);
        let mut stream = Seed(self.seed).stream(Purpose::Augment, [0; 3]);
        for (field, kernels) in fields.chunks_exact_mut(count).zip(&kernels) {
            noise.fill_with(|| (f64::from(stream.next_u32()) / f64::from(1u32 << 31) - 1.0) as f32);
            smooth(noise, width, kernels, line, field);
        }
        let [x, y] = self.alpha.map(|alpha| alpha / 2.0);
        let (across, down) = fields.split_at(count);
        Field { across, down, width, pixels: [x, y] }
    }
}

/// Along rows in place, then along columns into `smoothed`.
fn smooth(noise: &mut [f32], width: usize, [columns, rows]: &[Vec<f32>; 2], line: &mut [f32], smoothed: &mut [f32]) {
    let (margin, height) = (columns.len() / 2, noise.len() / width);
    for row in noise.chunks_exact_mut(width) {
        for (place, value) in line.iter_mut().take(width + 2 * margin).enumerate() {
            *value = row[reflected(place as isize - margin as isize, width)];
        }
        weigh(row, columns.iter().enumerate().map(|(tap, weight)| (&line[tap..], *weight)));
    }
    for (y, row) in smoothed.chunks_exact_mut(width).enumerate() {
        let from = |tap: usize| width * reflected((y + tap) as isize - (rows.len() / 2) as isize, height);
        weigh(row, rows.iter().enumerate().map(|(tap, weight)| (&noise[from(tap)..], *weight)));
    }
}

/// Where each pixel looks: its own place and this beside it.
struct Field<'f> {
    across: &'f [f32],
    down: &'f [f32],
    width: usize,
    /// Pixels of a displacement of 1 along x and y.
    pixels: [f64; 2],
}

impl Places for Field<'_> {
    fn of_row(&self, y: usize) -> impl Iterator<Item = Place> {
        let row = y * self.width..(y + 1) * self.width;
        let ([across, down], y) = (self.pixels, y as f64 + 0.5);
        self.across[row.clone()].iter().zip(&self.down[row]).enumerate().map(move |(x, (right, below))| Place {
            x: fixed(x as f64 + 0.5 + across * f64::from(*right)),
            y: fixed(y + down * f64::from(*below)),
        })
    }
}
