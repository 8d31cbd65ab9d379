//! What a class-wise metric needs of a class: three counts.

/// Precision, recall and F1: of one class, or averaged over classes. Each in 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Share of the samples predicted as the class that are of it: TP / (TP + FP).
    pub precision: f64,
    /// Share of the samples of the class that were predicted as it: TP / (TP + FN).
    pub recall: f64,
    /// Harmonic mean of the two: 2 TP / (2 TP + FP + FN).
    pub f1: f64,
}

/// A class's hits (TP), its support (TP + FN) and how often it was predicted (TP + FP).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) hits: u64,
    pub(crate) support: u64,
    pub(crate) predicted: u64,
}

impl Tally {
    /// Whether the class is anybody's truth or prediction.
    pub(crate) fn occurs(self) -> bool {
        self.support + self.predicted > 0
    }

    /// TP + FP + FN: the samples on which F1 rests.
    pub(crate) fn union(self) -> u64 {
        self.support + self.predicted - self.hits
    }

    /// Precision, recall and F1 with 0 / 0 = 0, as scikit-learn has them with `zero_division=0`; `None` for a class
    /// that does not occur.
    pub(crate) fn scores(self) -> Option<Scores> {
        self.occurs().then(|| Scores {
            precision: ratio(self.hits, self.predicted).unwrap_or(0.0),
            recall: ratio(self.hits, self.support).unwrap_or(0.0),
            f1: 2.0 * self.hits as f64 / (self.support + self.predicted) as f64,
        })
    }
}

/// `part / whole`; `None` for 0 / 0.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
