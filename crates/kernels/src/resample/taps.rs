//! Which pixels make a pixel.

use std::ops::Range;
#[cfg(target_arch = "x86_64")]
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use super::avx2::PackedTaps;

/// For each output pixel along one axis the neighbouring input pixels that make it, and the weight of each.
#[derive(Clone, Debug)]
pub struct Taps {
    /// Of each output pixel: the first input pixel and how many there are.
    bounds: Vec<(u32, u32)>,
    /// `stride` of them an output pixel.
    weights: Vec<i32>,
    stride: usize,
    needed: Range<usize>,
    /// The form that the kernel of AVX2 reads, made when it first does.
    #[cfg(target_arch = "x86_64")]
    packed: OnceLock<Option<PackedTaps>>,
}

impl Taps {
    /// `bounds` are the first input pixel and the number of them for each output pixel; `weights` are the same number for
    /// each, those beyond its own without meaning.
    ///
    /// # Panics
    /// When there is no output pixel, a pixel has more taps than weights, or a weight is 32 or more.
    pub fn new(bounds: Vec<(u32, u32)>, weights: Vec<i32>) -> Self {
        assert!(!bounds.is_empty(), "there is a pixel");
        let stride = weights.len() / bounds.len();
        assert!(bounds.iter().all(|&(_, count)| count as usize <= stride), "a weight for each tap");
        assert!(weights.iter().all(|weight| weight.unsigned_abs() < 1 << 27), "weights are small");
        let start = bounds.iter().map(|first| first.0 as usize).min().unwrap_or(0);
        let end = bounds.iter().map(|last| last.0 as usize + last.1 as usize).max().unwrap_or(0);
        Self {
            bounds,
            weights,
            stride,
            needed: start..end,
            #[cfg(target_arch = "x86_64")]
            packed: OnceLock::new(),
        }
    }

    /// The first input pixel of an output pixel, and the weights from there.
    ///
    /// # Panics
    /// When there are not so many output pixels.
    pub fn of(&self, output: usize) -> (usize, &[i32]) {
        let (first, count) = self.bounds[output];
        (first as usize, &self.weights[output * self.stride..][..count as usize])
    }

    /// How many output pixels there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.bounds.len()
    }

    /// The input pixels from the first to the last that any output pixel needs.
    pub fn needed(&self) -> Range<usize> {
        self.needed.clone()
    }

    /// The form that the kernel of AVX2 reads; `None` where a row is too short for it.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn packed(&self) -> Option<&PackedTaps> {
        self.packed.get_or_init(|| PackedTaps::new(self)).as_ref()
    }
}

impl PartialEq for Taps {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|output| self.of(output) == other.of(output))
    }
}
