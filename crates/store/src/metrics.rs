//! `metrics.json`: every number with its n and, where it is an estimate, its interval.

use serde::{Deserialize, Serialize};

use crate::{Format, Named, RunFolder, StoreError, file};

/// The content of `metrics.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Version of this file's shape.
    pub format: Format,
    /// The part that nothing was chosen on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<PartMetrics>,
    /// The part that choices were made on: its numbers flatter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val: Option<PartMetrics>,
}

/// The numbers of one part. Names and meanings are scikit-learn's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartMetrics {
    /// Labelled samples.
    pub n: u64,
    /// Groups among them, where the data have groups: intervals then resample whole groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<u64>,
    /// Share of samples whose prediction is their label.
    pub accuracy: Measure,
    /// Share of samples whose label is among the k most probable classes, for each k asked.
    #[serde(default)]
    pub top_k_accuracy: Vec<TopK>,
    /// Mean recall over the classes that have samples.
    pub balanced_accuracy: Measure,
    /// Unweighted mean of the classes' precision.
    pub macro_precision: Measure,
    /// Unweighted mean of the classes' recall.
    pub macro_recall: Measure,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: Measure,
    /// Mean of the classes' precision, weighted by support.
    pub weighted_precision: Measure,
    /// Mean of the classes' recall, weighted by support.
    pub weighted_recall: Measure,
    /// Mean of the classes' F1, weighted by support.
    pub weighted_f1: Measure,
    /// Mean of −ln p(label).
    pub log_loss: Measure,
    /// Each class in the order of the model.
    pub classes: Named<ClassMetrics>,
    /// How labels and predictions meet.
    pub confusion: ConfusionCounts,
}

/// Top-k accuracy for one k.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopK {
    /// How many classes may be named.
    pub k: u32,
    /// The share.
    pub accuracy: Measure,
}

/// The numbers of one class against the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// Of what was predicted so, the share that is so.
    pub precision: Measure,
    /// Of what is so, the share predicted so.
    pub recall: Measure,
    /// Harmonic mean of the two.
    pub f1: Measure,
    /// Samples with this label.
    pub support: u64,
    /// Labelled and predicted so.
    pub true_positives: u64,
    /// Predicted so, labelled otherwise.
    pub false_positives: u64,
    /// Labelled so, predicted otherwise.
    pub false_negatives: u64,
    /// Neither.
    pub true_negatives: u64,
    /// (false positives + false negatives) / all samples.
    pub error_rate: Measure,
}

/// The confusion matrix: `counts[label][prediction]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedCounts")]
pub struct ConfusionCounts {
    classes: Vec<String>,
    counts: Vec<Vec<u64>>,
}

#[derive(Deserialize)]
struct UncheckedCounts {
    classes: Vec<String>,
    counts: Vec<Vec<u64>>,
}

impl TryFrom<UncheckedCounts> for ConfusionCounts {
    type Error = String;

    fn try_from(unchecked: UncheckedCounts) -> Result<Self, String> {
        let n = unchecked.classes.len();
        Self::new(unchecked.classes, unchecked.counts)
            .ok_or_else(|| format!("the confusion matrix of {n} classes is not {n} rows of {n} counts"))
    }
}

impl ConfusionCounts {
    /// `None` unless there is one row and one column a class.
    pub fn new(classes: Vec<String>, counts: Vec<Vec<u64>>) -> Option<Self> {
        let n = classes.len();
        (counts.len() == n && counts.iter().all(|row| row.len() == n)).then_some(Self { classes, counts })
    }

    /// Names of rows and columns.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// A row a label, a column a prediction.
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }
}

/// A number with the weight behind it, or the reason why there is none.
///
/// `{"value": 0.91, "low": 0.86, "high": 0.95, "n": 181}`, without `low` and `high` where it is no estimate, or
/// `{"value": null, "why": "the class has no sample"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedMeasure")]
pub struct Measure {
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Deserialize)]
struct UncheckedMeasure {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    n: Option<u64>,
    why: Option<String>,
}

impl Measure {
    /// A number with the bounds of its 95 % interval, from n samples. Not a finite number: undefined.
    pub fn estimate(value: f64, low: f64, high: f64, n: u64) -> Self {
        if !(low.is_finite() && high.is_finite()) {
            return Self::plain(value, n);
        }
        Self { low: Some(low), high: Some(high), ..Self::plain(value, n) }.without_bounds_if_undefined()
    }

    /// A number without an interval, from n samples. Not a finite number: undefined.
    pub fn plain(value: f64, n: u64) -> Self {
        if !value.is_finite() {
            return Self::undefined("the number is not finite");
        }
        Self { value: Some(value), low: None, high: None, n: Some(n), why: None }
    }

    /// No number, and why.
    pub fn undefined(why: impl Into<String>) -> Self {
        Self { value: None, low: None, high: None, n: None, why: Some(why.into()) }
    }

    /// The number, where it is defined.
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// Lower and upper bound of the 95 % interval, where it has one.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }

    /// Samples behind the number.
    pub fn n(&self) -> Option<u64> {
        self.n
    }

    /// Why there is no number.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    fn without_bounds_if_undefined(self) -> Self {
        if self.value.is_none() { Self { low: None, high: None, ..self } } else { self }
    }
}

impl TryFrom<UncheckedMeasure> for Measure {
    type Error = &'static str;

    fn try_from(UncheckedMeasure { value, low, high, n, why }: UncheckedMeasure) -> Result<Self, Self::Error> {
        if value.is_none() == why.is_none() {
            return Err("a measure has either a value or a \"why\"");
        }
        if low.is_some() != high.is_some() || (value.is_none() && low.is_some()) {
            return Err("a measure's interval has two bounds and a value");
        }
        Ok(Self { value, low, high, n, why })
    }
}

impl RunFolder {
    /// Stores `metrics.json`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write_metrics(&self, metrics: &Metrics) -> Result<(), StoreError> {
        file::write_json(&self.metrics_path(), metrics)
    }

    /// Reads `metrics.json`.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is not of this shape.
    pub fn read_metrics(&self) -> Result<Metrics, StoreError> {
        file::read_json(&self.metrics_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_to_the_last_bit() {
        for value in [0.1 + 0.2, 1.0 / 3.0, f64::MIN_POSITIVE, 5e-324, 0.938_271_604_938_271_6, 1e300, -0.0] {
            let measure = Measure::estimate(value, value, value, 3);
            let back: Measure = serde_json::from_str(&serde_json::to_string(&measure).unwrap()).unwrap();
            assert_eq!(back.value().unwrap().to_bits(), value.to_bits());
        }
    }

    #[test]
    fn what_is_not_finite_is_undefined_with_a_reason() {
        for measure in [Measure::plain(f64::NAN, 1), Measure::estimate(f64::INFINITY, 0.0, 1.0, 1)] {
            assert_eq!((measure.value(), measure.interval()), (None, None));
            assert!(measure.why().is_some());
        }
        assert_eq!(Measure::estimate(0.5, f64::NAN, 1.0, 4), Measure::plain(0.5, 4));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for text in [
            r#"{"value": null}"#,
            r#"{"value": 1.0, "why": "x"}"#,
            r#"{"value": 1.0, "low": 0.5}"#,
            r#"{"value": null, "low": 0.5, "high": 0.6, "why": "x"}"#,
        ] {
            assert!(serde_json::from_str::<Measure>(text).is_err(), "{text}");
        }
        for text in [r#"{"classes": ["a", "b"], "counts": [[1, 2]]}"#, r#"{"classes": ["a"], "counts": [[1, 2]]}"#] {
            assert!(serde_json::from_str::<ConfusionCounts>(text).is_err(), "{text}");
        }
    }
}
