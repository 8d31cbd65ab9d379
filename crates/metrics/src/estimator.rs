//! From values and replicates to estimates: which method serves which number.

use crate::bootstrap::{Replicate, Samples, shifted_percentiles};
use crate::confusion::Confusion;
use crate::evaluation::{ClassEvaluation, ScoreEstimates};
use crate::interval::{Estimate, Interval, Level, Method, wilson};
use crate::summary::Summary;
use crate::tally::{Scores, Tally, ratio};

/// The range of every metric but the loss.
const UNIT: (f64, f64) = (0.0, 1.0);

pub(crate) struct Estimator<'a> {
    pub(crate) samples: &'a Samples<'a>,
    /// With the counts of each class where samples are grouped.
    pub(crate) replicates: &'a [Replicate],
    pub(crate) level: Level,
}

/// In how many clusters each class is truth, is predicted, is either.
struct Holding {
    truth: Vec<u64>,
    prediction: Vec<u64>,
    either: Vec<u64>,
}

impl Estimator<'_> {
    pub(crate) fn accuracy(&self, confusion: &Confusion) -> Estimate {
        let hits = confusion.tallies().iter().map(|tally| tally.hits).sum();
        let drawn = || self.replicates.iter().map(|replicate| Some(replicate.summary.accuracy)).collect();
        self.proportion(hits, self.n(), self.clusters(), drawn)
    }

    /// A column of zeros and ones.
    pub(crate) fn top_k(&self, column: usize) -> Estimate {
        let hits = self.samples.columns[column].iter().filter(|&&hit| hit > 0.0).count() as u64;
        let drawn = || self.replicates.iter().map(|replicate| Some(replicate.means[column])).collect();
        self.proportion(hits, self.n(), self.clusters(), drawn)
    }

    pub(crate) fn loss(&self, column: usize) -> Estimate {
        let losses = &self.samples.columns[column];
        let value = losses.iter().sum::<f64>() / losses.len() as f64;
        let drawn = self.replicates.iter().map(|replicate| Some(replicate.means[column])).collect();
        self.resampled(value, self.n(), self.clusters(), drawn, (0.0, f64::INFINITY))
    }

    /// A number of the summary, in 0 to 1.
    pub(crate) fn headline(&self, value: f64, read: impl Fn(&Summary) -> f64) -> Estimate {
        let drawn = || self.replicates.iter().map(|replicate| Some(read(&replicate.summary))).collect();
        self.share(value, self.n(), self.clusters(), drawn)
    }

    pub(crate) fn average(&self, value: Scores, read: impl Fn(&Summary) -> Scores) -> ScoreEstimates {
        ScoreEstimates {
            precision: self.headline(value.precision, |summary| read(summary).precision),
            recall: self.headline(value.recall, |summary| read(summary).recall),
            f1: self.headline(value.f1, |summary| read(summary).f1),
        }
    }

    pub(crate) fn classes(&self, confusion: &Confusion) -> Vec<ClassEvaluation> {
        let Samples { truth, prediction, classes, clusters, .. } = *self.samples;
        let holding = Holding {
            truth: clusters.holding(&[truth], classes),
            prediction: clusters.holding(&[prediction], classes),
            either: clusters.holding(&[truth, prediction], classes),
        };
        let evaluations = confusion.tallies().iter().enumerate();
        evaluations.filter_map(|(class, &tally)| self.class(confusion, class, tally, &holding)).collect()
    }

    /// `None` beyond the last class.
    fn class(&self, confusion: &Confusion, class: usize, tally: Tally, holding: &Holding) -> Option<ClassEvaluation> {
        let counts = confusion.class_counts(class)?;
        let wrong = counts.false_positive + counts.false_negative;
        let drawn = |part: fn(Tally) -> u64, whole: fn(Tally) -> u64| {
            move || self.drawn(class, |tally, _| ratio(part(tally), whole(tally)))
        };
        let error_rate = self.proportion(wrong, self.n(), self.clusters(), || {
            self.drawn(class, |tally, all| ratio(tally.union() - tally.hits, all))
        });
        let scores = tally.scores().map(|scores| ScoreEstimates {
            precision: self.proportion(
                tally.hits,
                tally.predicted,
                holding.prediction[class],
                drawn(|tally| tally.hits, |tally| tally.predicted),
            ),
            recall: self.proportion(
                tally.hits,
                tally.support,
                holding.truth[class],
                drawn(|tally| tally.hits, |tally| tally.support),
            ),
            f1: self.f1(scores.f1, class, tally, holding.either[class]),
        });
        Some(ClassEvaluation { counts, error_rate, scores })
    }

    /// F1 = 2 J / (1 + J) with the proportion J = TP / (TP + FP + FN): Wilson's interval of J carries over.
    fn f1(&self, value: f64, class: usize, tally: Tally, clusters: u64) -> Estimate {
        if !self.samples.clusters.are_single() {
            let drawn = || self.drawn(class, |tally, _| tally.scores().map(|scores| scores.f1));
            return self.share(value, tally.union(), clusters, drawn);
        }
        let of_jaccard = |j: f64| 2.0 * j / (1.0 + j);
        let jaccard = wilson(tally.hits, tally.union(), self.level);
        // Rounding of the detour through J must not move the value out of its interval.
        let interval = jaccard.map(|jaccard| Interval {
            low: of_jaccard(jaccard.low).min(value),
            high: of_jaccard(jaccard.high).max(value),
        });
        Estimate { value, interval, n: tally.union(), method: Method::Wilson }
    }

    /// A class's metric on every replicate, from its counts and the number of samples drawn.
    fn drawn(&self, class: usize, read: impl Fn(Tally, u64) -> Option<f64>) -> Vec<Option<f64>> {
        let kept =
            self.replicates.iter().filter_map(|replicate| Some((replicate.tallies.get(class)?, replicate.drawn)));
        kept.map(|(&tally, drawn)| read(tally, drawn)).collect()
    }

    /// `part` of `whole` samples, which lie in `clusters` clusters. 0 / 0 is 0 by convention and has no interval.
    fn proportion(&self, part: u64, whole: u64, clusters: u64, drawn: impl FnOnce() -> Vec<Option<f64>>) -> Estimate {
        let Some(value) = ratio(part, whole) else {
            return Estimate { value: 0.0, interval: None, n: 0, method: Method::ZeroByConvention };
        };
        if self.samples.clusters.are_single() {
            return Estimate { value, interval: wilson(part, whole, self.level), n: whole, method: Method::Wilson };
        }
        self.share(value, whole, clusters, drawn)
    }

    /// A metric in 0 to 1 that rests on `n` samples in `clusters` clusters.
    fn share(&self, value: f64, n: u64, clusters: u64, drawn: impl FnOnce() -> Vec<Option<f64>>) -> Estimate {
        if value == 0.0 || value == 1.0 {
            let interval = wilson(if value == 1.0 { clusters } else { 0 }, clusters, self.level);
            return Estimate { value, interval, n, method: Method::Wilson };
        }
        self.resampled(value, n, clusters, drawn(), UNIT)
    }

    /// A metric in `range` from its replicates; undefined ones are left out.
    fn resampled(&self, value: f64, n: u64, clusters: u64, drawn: Vec<Option<f64>>, range: (f64, f64)) -> Estimate {
        let defined = if clusters < 2 { Vec::new() } else { drawn.into_iter().flatten().collect() };
        let interval = shifted_percentiles(defined, value, range, self.level);
        let method = match interval {
            None => Method::TooFew,
            Some(_) if self.samples.clusters.are_single() => Method::Bootstrap,
            Some(_) => Method::ClusterBootstrap,
        };
        Estimate { value, interval, n, method }
    }

    fn n(&self) -> u64 {
        self.samples.truth.len() as u64
    }

    fn clusters(&self) -> u64 {
        self.samples.clusters.count() as u64
    }
}
