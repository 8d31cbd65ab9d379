//! `metrics.json`: every number with its n and, where it is an estimate, its interval.

use avizor_base::Split;
use avizor_metrics::PairedAccuracy;
use serde::{Deserialize, Serialize};

use crate::{Format, Measure, Named, RunFolder, StoreError, file};

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
    /// What training all of a network gained over its last layer alone; only where both were done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuning: Option<FineTuning>,
}

/// The kept network beside the best head on the same network with its starting weights, on the same samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FineTuning {
    /// The part that both were evaluated on.
    pub part: Split,
    /// Level of every interval, such as 0.95.
    pub level: f64,
    /// Accuracy of the head.
    pub head_accuracy: Measure,
    /// Accuracy of the kept network less that of the head, in -1 to 1; undefined where the head itself was kept.
    pub gain: Measure,
    /// Samples that the head alone has right.
    pub only_head: u64,
    /// Samples that the kept network alone has right.
    pub only_tuned: u64,
    /// Of McNemar's exact test; only for samples without groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
}

impl FineTuning {
    /// From the numbers of the head and the comparison of the kept network with it; without one, the head was kept.
    pub fn new(part: Split, head: &PartMetrics, paired: Option<&PairedAccuracy>) -> Self {
        let kept =
            || Measure::undefined("no epoch of the whole network was better on the validation part: the head is kept");
        Self {
            part,
            level: head.level,
            head_accuracy: head.accuracy.clone(),
            gain: paired.map_or_else(kept, |paired| Measure::from(&paired.difference)),
            only_head: paired.map_or(0, |paired| paired.only_first),
            only_tuned: paired.map_or(0, |paired| paired.only_second),
            p: paired.and_then(|paired| paired.p),
        }
    }
}

/// The numbers of one part. Names and meanings are scikit-learn's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartMetrics {
    /// Labelled samples.
    pub n: u64,
    /// Level of every interval, such as 0.95.
    pub level: f64,
    /// Replicates of the bootstrap.
    pub resamples: u32,
    /// Groups among them, where the data have groups: intervals then resample whole groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<u64>,
    /// Share of samples whose prediction is their label.
    pub accuracy: Measure,
    /// Share of samples whose label is among the 3 most probable classes; only with more than 3 classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_3_accuracy: Option<Measure>,
    /// Share of samples whose label is among the 5 most probable classes; only with more than 5 classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_5_accuracy: Option<Measure>,
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
    fn a_confusion_matrix_is_square() {
        for text in [r#"{"classes": ["a", "b"], "counts": [[1, 2]]}"#, r#"{"classes": ["a"], "counts": [[1, 2]]}"#] {
            let error = serde_json::from_str::<ConfusionCounts>(text).unwrap_err().to_string();
            assert!(error.starts_with("the confusion matrix of"), "{error}");
        }
    }
}
