//! Seeded random streams: every random number is a function of what it is for, never of time, thread or order.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The seed of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

/// What a stream is for. Two purposes never share numbers; the discriminants are part of "same seed, same bits"
/// and are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Purpose {
    /// Which split a sample falls into. Key: sample, 0, 0.
    Split = 1,
    /// Starting values of a parameter. Key: hash of its name, 0, 0.
    Init = 2,
    /// The order of samples in an epoch. Key: epoch, 0, 0.
    Order = 3,
    /// What a weighted sampler draws. Key: epoch, 0, 0.
    Sampler = 4,
    /// Augmentation of a picture. Key: epoch, sample, occurrence within the epoch and, in its upper half, which copy it is.
    Augment = 5,
    /// Dropout masks. Key: step, node, 0.
    Dropout = 6,
    /// Bootstrap resampling: one stream, whose replicates all metrics share. Key: hash of "evaluation", 0, 0.
    Bootstrap = 7,
    /// The pictures that `quickstart` draws. Key: class, picture, 0.
    Quickstart = 8,
    /// A subset of the samples. Key: sample, 0, 0.
    Subset = 9,
    /// Which pictures a gallery or a sample grid shows. Key: class, 0, 0.
    Gallery = 10,
    /// How the pictures of a batch are mixed. Key: step, 0, 0.
    Mix = 11,
    /// A copy that fills its class up. Key: sample, number of the copy from 1, 0; with 0 as the number, which samples of a
    /// class get one copy more than others.
    Fill = 12,
}

impl Seed {
    /// The stream for a purpose and its key (what the three numbers mean stands with the [`Purpose`]).
    ///
    /// ChaCha8 keyed with seed, purpose and the first two numbers; the third selects the stream. Source: RFC 8439's
    /// layout with 8 rounds, through `rand_chacha`, whose values are stable between versions.
    pub fn stream(self, purpose: Purpose, key: [u64; 3]) -> Stream {
        let mut bytes = [0; 32];
        for (slot, word) in bytes.chunks_exact_mut(8).zip([self.0, purpose as u64, key[0], key[1]]) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        let mut generator = ChaCha8Rng::from_seed(bytes);
        generator.set_stream(key[2]);
        Stream { generator }
    }
}

/// A sequence of random numbers that depends on its seed, purpose and key alone.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
}

impl Stream {
    /// 32 uniform bits.
    pub fn next_u32(&mut self) -> u32 {
        self.generator.next_u32()
    }

    /// 64 uniform bits.
    pub fn next_u64(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in `0.0..1.0`, a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `low..high`; `low` itself when the two are equal.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`. Always draws one number, so that what follows does not depend on `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform in `0..bound`, without bias. Source: Lemire 2019, arXiv:1805.10941.
    ///
    /// # Panics
    /// When `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "nothing lies below zero");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// Standard normal, by Box and Muller's transform of two uniform numbers.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Shuffles in place, every order equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_change_between_versions() {
        let mut stream = Seed(42).stream(Purpose::Augment, [1, 2, 3]);
        let values: Vec<u64> = (0..3).map(|_| stream.next_u64()).collect();
        assert_eq!(values, [17528919677672018828, 16939871617970667043, 10338553991230223241]);
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let first = |seed: u64, purpose, key| Seed(seed).stream(purpose, key).next_u64();
        let base = first(1, Purpose::Split, [1, 1, 1]);
        for other in [
            first(2, Purpose::Split, [1, 1, 1]),
            first(1, Purpose::Order, [1, 1, 1]),
            first(1, Purpose::Split, [2, 1, 1]),
            first(1, Purpose::Split, [1, 2, 1]),
            first(1, Purpose::Split, [1, 1, 2]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn draws_stay_in_range_and_near_their_mean() {
        let mut stream = Seed(7).stream(Purpose::Order, [0, 0, 0]);
        let n = 20_000;
        let mut counts = [0; 7];
        let (mut sum, mut squares, mut units) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            counts[stream.below(7) as usize] += 1;
            let normal = stream.normal();
            sum += normal;
            squares += normal * normal;
            let unit = stream.unit();
            assert!((0.0..1.0).contains(&unit));
            units += unit;
        }
        // Five standard deviations of each estimate.
        let n = f64::from(n);
        for count in counts {
            let p = 1.0 / 7.0;
            assert!((f64::from(count) - n * p).abs() < 5.0 * (n * p * (1.0 - p)).sqrt());
        }
        assert!((sum / n).abs() < 5.0 / n.sqrt());
        assert!((squares / n - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
        assert!((units / n - 0.5).abs() < 5.0 * (1.0 / (12.0 * n)).sqrt());
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Seed(1).stream(Purpose::Order, [0, 0, 0]).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
