//! Which input pixels make an output pixel, and how much of each.

use avizor_base::Filter;
use avizor_kernels::resample::{PRECISION, Taps};

use super::extent::Span;

/// One axis of a scaling: its length before and after, and which part of it is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    /// Pixels that there are.
    pub(super) from: u32,
    /// What of them is the picture.
    pub(super) span: Span,
    /// May be longer than a picture is, when only a part is made.
    pub(super) to: u64,
    /// The first output pixel that is wanted.
    pub(super) first: usize,
    /// How many are.
    pub(super) count: usize,
}

impl Axis {
    /// Which input pixels make each wanted output pixel, and how much of each. Source: `precompute_coeffs` and
    /// `normalize_coeffs_8bpc` of Pillow's `Resample.c`, in the same order of the same double-precision operations.
    fn taps(self, filter: Filter) -> Taps {
        let Self { from, span, to, first, count } = self;
        let scale = span.length / to as f64;
        let stretch = scale.max(1.0);
        let support = support(filter) * stretch;
        let stride = support.ceil() as usize * 2 + 1;
        let mut bounds = Vec::with_capacity(count);
        let mut values = vec![0; stride * count];
        let mut weights = vec![0.0; stride];
        for (output, values) in (first..first + count).zip(values.chunks_exact_mut(stride)) {
            let center = span.start + (output as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as u32;
            let end = ((center + support + 0.5) as u32).min(from);
            let mut sum = 0.0;
            let weights = &mut weights[..(end - first) as usize];
            for (input, weight) in (first..end).zip(&mut *weights) {
                *weight = kernel(filter, (f64::from(input) - center + 0.5) * (1.0 / stretch));
                sum += *weight;
            }
            for (value, weight) in values.iter_mut().zip(&*weights) {
                let weight = if sum == 0.0 { *weight } else { weight / sum };
                let half = if weight < 0.0 { -0.5 } else { 0.5 };
                *value = (half + weight * f64::from(1u32 << PRECISION)) as i32;
            }
            bounds.push((first, end - first));
        }
        Taps::new(bounds, values)
    }
}

/// Input pixels to either side, before stretching.
fn support(filter: Filter) -> f64 {
    match filter {
        Filter::Bilinear => 1.0,
        Filter::Bicubic => 2.0,
        Filter::Lanczos => 3.0,
    }
}

fn kernel(filter: Filter, x: f64) -> f64 {
    match filter {
        Filter::Bilinear => (1.0 - x.abs()).max(0.0),
        Filter::Bicubic => {
            const A: f64 = -0.5;
            let x = x.abs();
            if x < 1.0 {
                ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
            } else if x < 2.0 {
                (((x - 5.0) * x + 8.0) * x - 4.0) * A
            } else {
                0.0
            }
        }
        Filter::Lanczos => {
            if (-3.0..3.0).contains(&x) {
                sinc(x) * sinc(x / 3.0)
            } else {
                0.0
            }
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * std::f64::consts::PI;
    // Not the system's: its last bit differs between machines.
    libm::sin(x) / x
}

/// The coefficients used last: pictures of one camera or one set often share their sizes.
#[derive(Debug, Default)]
pub(super) struct CoefficientCache {
    /// The latest first.
    entries: Vec<((Axis, Filter), Taps)>,
}

impl CoefficientCache {
    /// Both axes of four sizes; a search costs nothing beside a pass.
    const CAPACITY: usize = 8;

    /// Makes sure that the coefficients are there, in front.
    fn fetch(&mut self, key: (Axis, Filter)) {
        match self.entries.iter().position(|(kept, _)| *kept == key) {
            Some(place) => self.entries[..=place].rotate_right(1),
            None => {
                self.entries.truncate(Self::CAPACITY - 1);
                self.entries.insert(0, (key, key.0.taps(key.1)));
            }
        }
    }

    /// The coefficients of the columns and of the rows.
    pub(super) fn pair(&mut self, columns: Axis, rows: Axis, filter: Filter) -> [&Taps; 2] {
        self.fetch((rows, filter));
        self.fetch((columns, filter));
        // The columns' lie in front now, the rows' behind them, or both are the same.
        let second = usize::from(columns != rows);
        [&self.entries[0].1, &self.entries[second].1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(from: u32, to: u32) -> Axis {
        let span = Span { start: 0.0, length: from.into() };
        Axis { from, span, to: to.into(), first: 0, count: to as usize }
    }

    #[test]
    fn coefficients_sum_to_one_and_stay_inside() {
        for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
            for (from, to) in [(1, 1), (1, 9), (9, 1), (7, 5), (5, 7), (500, 160), (160, 500)] {
                let coefficients = whole(from, to).taps(filter);
                for output in 0..to as usize {
                    let (first, values) = coefficients.of(output);
                    assert!(!values.is_empty() && first + values.len() <= from as usize);
                    let sum: i64 = values.iter().map(|value| i64::from(*value)).sum();
                    // Each coefficient is off by half a unit at most.
                    assert!((sum - (1 << PRECISION)).unsigned_abs() as usize <= values.len().div_ceil(2));
                }
            }
        }
    }

    #[test]
    fn a_part_has_the_coefficients_of_the_whole() {
        let all = whole(31, 17).taps(Filter::Lanczos);
        let part = Axis { first: 5, count: 4, ..whole(31, 17) }.taps(Filter::Lanczos);
        assert!((0..4).all(|output| part.of(output) == all.of(5 + output)));
    }

    #[test]
    fn the_cache_gives_what_was_asked_for() {
        let mut cache = CoefficientCache::default();
        for round in 0..3 {
            for side in 1..12 {
                let (columns, rows) = (whole(side, 5), whole(side + round, 5));
                let [first, second] = cache.pair(columns, rows, Filter::Bicubic);
                assert_eq!(*first, columns.taps(Filter::Bicubic));
                assert_eq!(*second, rows.taps(Filter::Bicubic));
            }
        }
    }
}
