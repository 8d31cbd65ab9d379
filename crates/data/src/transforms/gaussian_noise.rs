//! Adding noise.

use avizor_base::{ImageSize, Purpose, Seed, Stream};
use serde::{Deserialize, Serialize};

use super::options::{probability, whole, within};
use super::{Draw, OptionRow, Transform, TransformRow};
use crate::Picture;

pub(super) const ROW: TransformRow = TransformRow::new::<GaussianNoise>(
    "gaussian_noise",
    "Adds normal noise to every sample; torchvision's GaussianNoise, clipped.",
    &[
        OptionRow { name: "mean", default: "0", doc: "As a part of full scale." },
        OptionRow {
            name: "sigma",
            default: "0.1",
            doc: "Standard deviation as a part of full scale (0.1 is 25.5 of 255).",
        },
        super::P_ONE,
    ],
);

/// Adds normal noise to every sample.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianNoise {
    /// As a part of full scale.
    pub mean: f64,
    /// Standard deviation as a part of full scale.
    pub sigma: f64,
    /// Probability.
    pub p: f64,
}

impl Default for GaussianNoise {
    fn default() -> Self {
        Self { mean: 0.0, sigma: 0.1, p: 1.0 }
    }
}

/// The noise of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// As a part of full scale.
    pub mean: f64,
    /// As a part of full scale.
    pub sigma: f64,
    /// Of the samples' numbers.
    pub seed: u64,
}

impl Transform for GaussianNoise {
    fn check(&self) -> Result<(), String> {
        probability(self.p)?;
        within("mean", self.mean, -1.0, 1.0)?;
        within("sigma", self.sigma, 0.0, 1.0)
    }

    fn draw(&self, stream: &mut Stream, _: ImageSize) -> Draw {
        let chosen = stream.chance(self.p);
        let noise = Noise { mean: self.mean, sigma: self.sigma, seed: stream.next_u64() };
        if chosen { Draw::GaussianNoise(noise) } else { Draw::Nothing }
    }
}

impl Noise {
    /// Each sample takes 16 bits of a stream: the place in a table of quantiles, which is finer than a level of gray.
    pub(super) fn apply(&self, picture: &mut Picture) {
        let mut stream = Seed(self.seed).stream(Purpose::Augment, [0; 3]);
        // In whole parts of a level: adding numbers from a table then is all that is left to do for a sample.
        let parts = |levels: f32| whole(levels * f32::from(PARTS));
        let sigma = 255.0 * self.sigma as f32;
        let mut noise = [0i16; 2 * COUNT];
        for (place, quantile) in QUANTILES.iter().enumerate() {
            let size = parts(sigma * quantile) as i16;
            (noise[place], noise[COUNT + place]) = (size, -size);
        }
        let mean = parts(255.0 * self.mean as f32) as i16;
        let mut own = [0i16; TOGETHER];
        for samples in picture.pixels_mut().chunks_mut(TOGETHER) {
            for own in own[..samples.len().next_multiple_of(4)].chunks_exact_mut(4) {
                let bits = stream.next_u64();
                for (index, own) in own.iter_mut().enumerate() {
                    *own = noise[(bits >> (16 * index)) as usize & (2 * COUNT - 1)];
                }
            }
            for (sample, own) in samples.iter_mut().zip(&own) {
                let noisy = (PARTS * i16::from(*sample) + mean).saturating_add(*own);
                // To the nearest level, a half to the even one.
                let half = PARTS / 2 - 1 + (noisy >> PARTS.ilog2() & 1);
                *sample = (noisy.saturating_add(half) >> PARTS.ilog2()).clamp(0, 255) as u8;
            }
        }
    }
}

/// Samples whose noise is looked up before it is added, so that adding goes for many at once.
const TOGETHER: usize = 64;
/// Parts of a level of gray: with them the strongest noise of all, 3.84 · 255 levels, fits 16 bits.
const PARTS: i16 = 32;
/// Quantiles of the half above zero; one more bit gives the sign.
const COUNT: usize = 4096;

/// The standard normal's upper half in parts of equal probability, each by the point that halves it: with them the
/// variance is 0.9998 of the true one, and no sample lies beyond 3.84 standard deviations.
static QUANTILES: std::sync::LazyLock<[f32; COUNT]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|place| normal_quantile(0.5 + (place as f64 + 0.5) / (2 * COUNT) as f64) as f32)
});

/// The standard normal's quantile of a probability of a half to one, by bisection of the error function: exact to the
/// last bits, and run once.
fn normal_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2) < probability { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_is_normal() {
        let size = ImageSize::new(200, 200).unwrap();
        let mut picture = Picture::filled(size, [128; 3]);
        Noise { mean: 0.0, sigma: 0.08, seed: 5 }.apply(&mut picture);
        let n = picture.pixels().len() as f64;
        let noise: Vec<f64> = picture.pixels().iter().map(|sample| f64::from(*sample) - 128.0).collect();
        let mean = noise.iter().sum::<f64>() / n;
        let variance = noise.iter().map(|value| value * value).sum::<f64>() / n;
        // 20.4 levels; rounding adds 1/12; five standard errors.
        let expected = 20.4f64.powi(2) + 1.0 / 12.0;
        assert!(mean.abs() < 5.0 * (expected / n).sqrt(), "{mean}");
        assert!((variance / expected - 1.0).abs() < 5.0 * (2.0 / n).sqrt() + 3e-4, "{variance}");
        let beyond = noise.iter().filter(|value| value.abs() > 2.0 * 20.4 + 0.5).count() as f64 / n;
        assert!((beyond - 0.043).abs() < 0.004, "{beyond}");
    }
}
