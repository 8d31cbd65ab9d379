//! Every headline number that the counts of the classes give, in one pass.

use crate::tally::{Scores, Tally};

/// Numbers of one set of labels and predictions, without intervals. Names and meanings are scikit-learn's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Share of samples predicted right.
    pub accuracy: f64,
    /// Mean recall of the classes that occur in truth (`balanced_accuracy_score`).
    pub balanced_accuracy: f64,
    /// Plain mean over the classes that occur in truth or prediction.
    pub macro_average: Scores,
    /// Mean over the same classes weighted by support.
    pub weighted_average: Scores,
}

impl Summary {
    /// Of at least one sample; an empty set gives zeros.
    pub(crate) fn of(tallies: &[Tally]) -> Self {
        let (mut plain, mut weighted) = (Sums::default(), Sums::default());
        let (mut hits, mut in_truth, mut recalls) = (0, 0, 0.0);
        for tally in tallies {
            let Some(scores) = tally.scores() else { continue };
            plain.add(scores, 1.0);
            weighted.add(scores, tally.support as f64);
            hits += tally.hits;
            if tally.support > 0 {
                in_truth += 1;
                recalls += scores.recall;
            }
        }
        Self {
            // Counts below 2⁵³ are exact, so accuracy is the correctly rounded quotient.
            accuracy: hits as f64 / weighted.weight.max(1.0),
            balanced_accuracy: recalls / f64::from(in_truth.max(1)),
            macro_average: plain.mean(),
            weighted_average: weighted.mean(),
        }
    }
}

/// Weighted sums of scores.
#[derive(Default)]
struct Sums {
    precision: f64,
    recall: f64,
    f1: f64,
    weight: f64,
}

impl Sums {
    fn add(&mut self, scores: Scores, weight: f64) {
        self.precision += weight * scores.precision;
        self.recall += weight * scores.recall;
        self.f1 += weight * scores.f1;
        self.weight += weight;
    }

    fn mean(&self) -> Scores {
        let weight = self.weight.max(1.0);
        Scores { precision: self.precision / weight, recall: self.recall / weight, f1: self.f1 / weight }
    }
}
