//! The metrics that have a name, for choosing the best checkpoint.

use std::fmt;
use std::str::FromStr;

use crate::confusion::Confusion;
use crate::summary::Summary;

/// A number by which two states of a network can be ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Share of samples predicted right.
    Accuracy,
    /// Mean recall of the classes in truth.
    BalancedAccuracy,
    /// Mean precision of the classes that occur.
    MacroPrecision,
    /// Mean recall of the classes that occur.
    MacroRecall,
    /// Mean F1 of the classes that occur.
    MacroF1,
    /// Precision weighted by support.
    WeightedPrecision,
    /// Recall weighted by support: accuracy under another name.
    WeightedRecall,
    /// F1 weighted by support.
    WeightedF1,
    /// Mean cross-entropy.
    Loss,
}

/// Which way a metric gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// A row of [`METRICS`].
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The metric.
    pub metric: Metric,
    /// Its name in recipes and files.
    pub name: &'static str,
    /// Its name and options in scikit-learn.
    pub source: &'static str,
    /// Smallest and largest value.
    pub range: (f64, f64),
    /// Which way is better.
    pub better: Better,
    formula: fn(&Summary, f64) -> f64,
}

/// Every metric, a row each, in the order of [`Metric`].
pub const METRICS: &[Entry] = &[
    share(Metric::Accuracy, "accuracy", "accuracy_score", |s, _| s.accuracy),
    share(Metric::BalancedAccuracy, "balanced_accuracy", "balanced_accuracy_score", |s, _| s.balanced_accuracy),
    share(Metric::MacroPrecision, "macro_precision", "precision_score(average=\"macro\")", |s, _| {
        s.macro_average.precision
    }),
    share(Metric::MacroRecall, "macro_recall", "recall_score(average=\"macro\")", |s, _| s.macro_average.recall),
    share(Metric::MacroF1, "macro_f1", "f1_score(average=\"macro\")", |s, _| s.macro_average.f1),
    share(Metric::WeightedPrecision, "weighted_precision", "precision_score(average=\"weighted\")", |s, _| {
        s.weighted_average.precision
    }),
    share(Metric::WeightedRecall, "weighted_recall", "recall_score(average=\"weighted\")", |s, _| {
        s.weighted_average.recall
    }),
    share(Metric::WeightedF1, "weighted_f1", "f1_score(average=\"weighted\")", |s, _| s.weighted_average.f1),
    Entry {
        metric: Metric::Loss,
        name: "loss",
        source: "log_loss",
        range: (0.0, f64::INFINITY),
        better: Better::Lower,
        formula: |_, loss| loss,
    },
];

/// A row of a metric in 0 to 1 whose higher values are better.
const fn share(metric: Metric, name: &'static str, source: &'static str, formula: fn(&Summary, f64) -> f64) -> Entry {
    Entry { metric, name, source, range: (0.0, 1.0), better: Better::Higher, formula }
}

impl Metric {
    /// Its row of [`METRICS`].
    pub fn entry(self) -> &'static Entry {
        &METRICS[self as usize]
    }

    /// Its name in recipes and files.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Its value, without interval, from the counts and the mean cross-entropy of the same samples.
    pub fn value(self, confusion: &Confusion, loss: f64) -> f64 {
        (self.entry().formula)(&confusion.summary(), loss)
    }

    /// Whether `new` is strictly better than `best`. NaN is never better; anything else is better than NaN.
    pub fn improves(self, new: f64, best: f64) -> bool {
        let ahead = match self.entry().better {
            Better::Higher => new > best,
            Better::Lower => new < best,
        };
        ahead || (best.is_nan() && !new.is_nan())
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no metric has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no metric is called \"{name}\": there are {}", names())]
pub struct UnknownMetric {
    /// What was asked for.
    pub name: String,
}

fn names() -> String {
    METRICS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let entry = METRICS.iter().find(|entry| entry.name == name);
        entry.map(|entry| entry.metric).ok_or_else(|| UnknownMetric { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_enum_and_names_come_back() {
        for (place, entry) in METRICS.iter().enumerate() {
            assert_eq!(entry.metric as usize, place, "{}", entry.name);
            assert_eq!(entry.name.parse(), Ok(entry.metric));
            assert_eq!(entry.metric.to_string(), entry.name);
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_the_known_ones() {
        let error = "makro_f1".parse::<Metric>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no metric is called \"makro_f1\": there are accuracy, balanced_accuracy, macro_precision, macro_recall, \
             macro_f1, weighted_precision, weighted_recall, weighted_f1, loss"
        );
    }

    #[test]
    fn better_follows_the_metric_and_never_picks_nan() {
        let nan = f64::NAN;
        for (metric, new, best, wanted) in [
            (Metric::Accuracy, 0.9, 0.8, true),
            (Metric::Accuracy, 0.8, 0.8, false),
            (Metric::Loss, 0.9, 0.8, false),
            (Metric::Loss, 0.7, 0.8, true),
            (Metric::Loss, nan, 0.8, false),
            (Metric::Loss, 0.8, nan, true),
            (Metric::MacroF1, nan, nan, false),
        ] {
            assert_eq!(metric.improves(new, best), wanted, "{metric}: {new} against {best}");
        }
    }

    #[test]
    fn a_value_is_that_of_the_summary() {
        let confusion = Confusion::new(&[0, 0, 0, 1], &[0, 0, 1, 1], 2).unwrap();
        for (metric, wanted) in [
            (Metric::Accuracy, 0.75),
            (Metric::BalancedAccuracy, (2.0 / 3.0 + 1.0) / 2.0),
            (Metric::MacroPrecision, 0.75),
            (Metric::WeightedPrecision, 0.875),
            (Metric::Loss, 0.25),
        ] {
            assert_eq!(metric.value(&confusion, 0.25), wanted, "{metric}");
        }
    }
}
