//! Two predictions of the same samples: what one of them gained.

use avizor_base::{Purpose, Seed};

use crate::bootstrap::shifted_percentiles;
use crate::clusters::Clusters;
use crate::error::{LabelError, check_length};
use crate::evaluation::Options;
use crate::interval::{Estimate, Interval, Level, Method, wilson};

/// The key of the bootstrap's stream: the first 64 bits of the SHA-256 of "paired accuracy".
const KEY: [u64; 3] = [0x6896_82e6_19ff_7322, 0, 0];

/// The accuracy of a second prediction beside that of a first one, on the same samples.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedAccuracy {
    /// Samples that the first alone has right.
    pub only_first: u64,
    /// Samples that the second alone has right.
    pub only_second: u64,
    /// Accuracy of the second less that of the first, in -1 to 1.
    pub difference: Estimate,
    /// How probable it is that samples which one alone has right would fall apart so unevenly, or more, if both were as
    /// good: McNemar's exact test, two-sided. `None` where samples are grouped, which it does not allow for.
    pub p: Option<f64>,
}

impl PairedAccuracy {
    /// Compares two predictions of the samples whose classes are `truth`. `groups` as in
    /// [`Predictions`](crate::Predictions).
    ///
    /// The interval is Newcombe's of paired proportions for independent samples, and the bootstrap over groups otherwise;
    /// where no group holds a difference, resampling knows nothing, and the interval is what so many groups cannot exclude.
    ///
    /// # Errors
    /// No sample, columns of unequal length.
    pub fn new(
        truth: &[u32],
        first: &[u32],
        second: &[u32],
        groups: Option<&[u32]>,
        seed: Seed,
        options: Options,
    ) -> Result<Self, LabelError> {
        if truth.is_empty() {
            return Err(LabelError::Empty);
        }
        check_length("prediction", first.len(), truth.len())?;
        check_length("prediction", second.len(), truth.len())?;
        if let Some(groups) = groups {
            check_length("groups", groups.len(), truth.len())?;
        }
        let right: Vec<[bool; 2]> =
            truth.iter().zip(first.iter().zip(second)).map(|(truth, (a, b))| [a == truth, b == truth]).collect();
        let table = Table::of(&right);
        let clusters = groups.map_or_else(|| Clusters::single(truth.len()), Clusters::grouped);
        let [only_first, only_second] = [table.only_first, table.only_second];
        let value = (only_second as f64 - only_first as f64) / truth.len() as f64;
        let (interval, method) = if clusters.are_single() {
            (Some(newcombe(table, options.level)), Method::Newcombe)
        } else {
            over_clusters(&right, &clusters, value, seed, options)
        };
        let difference = Estimate { value, interval, n: truth.len() as u64, method };
        let p = clusters.are_single().then(|| mcnemar(only_first, only_second));
        Ok(Self { only_first, only_second, difference, p })
    }
}

/// How often which of the two is right.
#[derive(Clone, Copy, Debug, Default)]
struct Table {
    both: u64,
    only_first: u64,
    only_second: u64,
    neither: u64,
}

impl Table {
    fn of(right: &[[bool; 2]]) -> Self {
        let count = |wanted| right.iter().filter(|&&pair| pair == wanted).count() as u64;
        Self {
            both: count([true, true]),
            only_first: count([true, false]),
            only_second: count([false, true]),
            neither: count([false, false]),
        }
    }
}

/// Newcombe's interval of the difference of two paired proportions, from their Wilson intervals and the correlation of the
/// pairs. Source: Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on
/// paired data", Statistics in Medicine 17, method 10.
fn newcombe(table: Table, level: Level) -> Interval {
    let Table { both, only_first, only_second, neither } = table;
    let n = both + only_first + only_second + neither;
    let bounds = |part: u64| {
        let p = part as f64 / n as f64;
        let interval = wilson(part, n, level).unwrap_or(Interval { low: p, high: p });
        (p - interval.low, interval.high - p)
    };
    let ((below_first, above_first), (below_second, above_second)) =
        (bounds(both + only_first), bounds(both + only_second));
    let correlation = correlation(table);
    let half = |a: f64, b: f64| (a * a - 2.0 * correlation * a * b + b * b).max(0.0).sqrt();
    let difference = (only_second as f64 - only_first as f64) / n as f64;
    Interval {
        low: (difference - half(below_second, above_first)).max(-1.0),
        high: (difference + half(above_second, below_first)).min(1.0),
    }
}

/// The correlation of the pairs, with Newcombe's correction for continuity where it is positive.
fn correlation(table: Table) -> f64 {
    let [both, only_first, only_second, neither] =
        [table.both, table.only_first, table.only_second, table.neither].map(|count| count as f64);
    let margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither);
    if margins == 0.0 {
        return 0.0;
    }
    let product = both * neither - only_first * only_second;
    let n = both + only_first + only_second + neither;
    let corrected = if product > 0.0 { (product - n / 2.0).max(0.0) } else { product };
    corrected / margins.sqrt()
}

fn over_clusters(
    right: &[[bool; 2]],
    clusters: &Clusters,
    value: f64,
    seed: Seed,
    options: Options,
) -> (Option<Interval>, Method) {
    let count = clusters.count();
    if count < 2 {
        return (None, Method::TooFew);
    }
    let mut of_cluster = vec![(0.0, 0.0); count];
    for (&[first, second], &cluster) in right.iter().zip(clusters.of_sample()) {
        let (difference, samples) = &mut of_cluster[cluster as usize];
        *difference += f64::from(u8::from(second)) - f64::from(u8::from(first));
        *samples += 1.0;
    }
    if right.iter().all(|[first, second]| first == second) {
        let most = wilson(0, count as u64, options.level).map_or(1.0, |interval| interval.high);
        return (Some(Interval { low: -most, high: most }), Method::Wilson);
    }
    let mut stream = seed.stream(Purpose::Bootstrap, KEY);
    let mut draw = || {
        let drawn = (0..count).map(|_| of_cluster[stream.below(count as u64) as usize]);
        let (difference, samples) = drawn.fold((0.0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        difference / samples
    };
    let drawn = (0..options.resamples).map(|_| draw()).collect();
    match shifted_percentiles(drawn, value, (-1.0, 1.0), options.level) {
        Some(interval) => (Some(interval), Method::ClusterBootstrap),
        None => (None, Method::TooFew),
    }
}

/// Twice the smaller tail of a fair coin that was thrown `a + b` times, at most 1. Source: McNemar 1947; SciPy's
/// `binomtest(a, a + b).pvalue`.
fn mcnemar(a: u64, b: u64) -> f64 {
    let throws = a + b;
    // The logarithm of one outcome's probability, from one number of heads to the next: no binomial is too large.
    let mut outcome = -(throws as f64) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for heads in 0..=a.min(b) {
        tail += outcome.exp();
        outcome += ((throws - heads) as f64).ln() - ((heads + 1) as f64).ln();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_of_thousands_of_samples_does_not_overflow() {
        // scipy.stats.binomtest(20000, 40300).pvalue
        assert!((mcnemar(20_000, 20_300) / 0.136_374_478_388_167_35 - 1.0).abs() < 1e-9);
        assert_eq!([mcnemar(0, 0), mcnemar(1, 0), mcnemar(50, 50)], [1.0; 3]);
    }
}
