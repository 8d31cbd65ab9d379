//! What an evaluation holds.

use crate::confusion::{ClassCounts, Confusion};
use crate::interval::{Estimate, Level};
use crate::metric::{METRICS, Metric};

/// How intervals are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Level of every interval: 95 % unless said.
    pub level: Level,
    /// Bootstrap replicates: 1,000 unless said. Without any, only Wilson's intervals remain.
    pub resamples: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { level: Level::DEFAULT, resamples: 1_000 }
    }
}

/// Precision, recall and F1 with intervals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreEstimates {
    /// TP / (TP + FP), or its average.
    pub precision: Estimate,
    /// TP / (TP + FN), or its average.
    pub recall: Estimate,
    /// 2 TP / (2 TP + FP + FN), or its average.
    pub f1: Estimate,
}

/// What is known about one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassEvaluation {
    /// TP, FP, FN, TN.
    pub counts: ClassCounts,
    /// (FP + FN) / all.
    pub error_rate: Estimate,
    /// `None` for a class that occurs neither in truth nor in prediction; [`ClassEvaluation::why`] says so.
    pub scores: Option<ScoreEstimates>,
}

impl ClassEvaluation {
    /// Why the class has no scores; `None` where it has.
    pub fn why(&self) -> Option<&'static str> {
        self.scores.is_none().then_some("the class occurs neither in truth nor in prediction")
    }
}

/// Everything about one set of predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Samples.
    pub n: usize,
    /// Groups, where samples came in groups.
    pub groups: Option<usize>,
    /// How the intervals were made.
    pub options: Options,
    /// Share of samples predicted right.
    pub accuracy: Estimate,
    /// Mean recall of the classes in truth.
    pub balanced_accuracy: Estimate,
    /// Plain means over the classes that occur in truth or prediction.
    pub macro_average: ScoreEstimates,
    /// Means over the same classes, weighted by support.
    pub weighted_average: ScoreEstimates,
    /// Share of samples whose class is among the 3 most probable; `None` with 3 classes or fewer.
    pub top_3_accuracy: Option<Estimate>,
    /// Share of samples whose class is among the 5 most probable; `None` with 5 classes or fewer.
    pub top_5_accuracy: Option<Estimate>,
    /// Mean cross-entropy in nats.
    pub loss: Estimate,
    /// One a class, in class order.
    pub classes: Vec<ClassEvaluation>,
    /// Who was taken for whom.
    pub confusion: Confusion,
}

impl Evaluation {
    /// The estimate of a named metric.
    pub fn metric(&self, metric: Metric) -> &Estimate {
        match metric {
            Metric::Accuracy => &self.accuracy,
            Metric::BalancedAccuracy => &self.balanced_accuracy,
            Metric::MacroPrecision => &self.macro_average.precision,
            Metric::MacroRecall => &self.macro_average.recall,
            Metric::MacroF1 => &self.macro_average.f1,
            Metric::WeightedPrecision => &self.weighted_average.precision,
            Metric::WeightedRecall => &self.weighted_average.recall,
            Metric::WeightedF1 => &self.weighted_average.f1,
            Metric::Loss => &self.loss,
        }
    }

    /// Every headline number with its name in files, in a fixed order: the rows of [`crate::METRICS`], then
    /// `top_3_accuracy` and `top_5_accuracy` where there are classes enough.
    pub fn headline(&self) -> Vec<(&'static str, &Estimate)> {
        let named = METRICS.iter().map(|entry| (entry.name, self.metric(entry.metric)));
        let top = [("top_3_accuracy", &self.top_3_accuracy), ("top_5_accuracy", &self.top_5_accuracy)];
        named.chain(top.into_iter().filter_map(|(name, top)| Some((name, top.as_ref()?)))).collect()
    }
}
