//! Who was taken for whom.

use crate::error::{LabelError, check_length, check_range};
use crate::summary::Summary;
use crate::tally::{Scores, Tally};

/// Counts of (truth, prediction) pairs over a fixed number of classes.
///
/// Only the pairs that occur are kept: memory grows with samples and classes, not with classes squared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    samples: u64,
    /// Sorted by truth, then prediction; counts above zero.
    cells: Vec<Cell>,
    /// One a class.
    tallies: Vec<Tally>,
}

/// A pair of classes and how many samples of the first were predicted as the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The class that the samples are of.
    pub truth: u32,
    /// The class they were predicted as.
    pub prediction: u32,
    /// How many, at least 1.
    pub count: u64,
}

/// One class against all others. The four sum to the number of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassCounts {
    /// TP: of the class and predicted as it.
    pub true_positive: u64,
    /// FP: of another class but predicted as this one.
    pub false_positive: u64,
    /// FN: of the class but predicted as another.
    pub false_negative: u64,
    /// TN: neither.
    pub true_negative: u64,
}

impl ClassCounts {
    /// Samples of the class: TP + FN.
    pub fn support(self) -> u64 {
        self.true_positive + self.false_negative
    }

    /// Samples predicted as the class: TP + FP.
    pub fn predicted(self) -> u64 {
        self.true_positive + self.false_positive
    }

    /// (FP + FN) / all.
    pub fn error_rate(self) -> f64 {
        let wrong = self.false_positive + self.false_negative;
        wrong as f64 / (wrong + self.true_positive + self.true_negative) as f64
    }
}

impl Confusion {
    /// Counts the pairs `(truth[i], prediction[i])` of classes below `classes`.
    ///
    /// # Errors
    /// No sample, unequal lengths, a class of `classes` or more.
    pub fn new(truth: &[u32], prediction: &[u32], classes: usize) -> Result<Self, LabelError> {
        check_length("prediction", prediction.len(), truth.len())?;
        if truth.is_empty() {
            return Err(LabelError::Empty);
        }
        check_range("truth", truth, classes)?;
        check_range("prediction", prediction, classes)?;
        let mut tallies = vec![Tally::default(); classes];
        let mut pairs: Vec<(u32, u32)> = truth.iter().copied().zip(prediction.iter().copied()).collect();
        for &(truth, prediction) in &pairs {
            tallies[truth as usize].support += 1;
            tallies[prediction as usize].predicted += 1;
            tallies[truth as usize].hits += u64::from(truth == prediction);
        }
        pairs.sort_unstable();
        let cells = pairs
            .chunk_by(|a, b| a == b)
            .map(|run| Cell { truth: run[0].0, prediction: run[0].1, count: run.len() as u64 })
            .collect();
        Ok(Self { samples: truth.len() as u64, cells, tallies })
    }

    /// How many classes there are, whether they occur or not.
    pub fn classes(&self) -> usize {
        self.tallies.len()
    }

    /// How many samples were counted, at least 1.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// The pairs that occur, sorted by truth, then prediction.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// How many samples of class `truth` were predicted as class `prediction`; 0 for classes beyond the last.
    pub fn count(&self, truth: usize, prediction: usize) -> u64 {
        self.cells
            .binary_search_by_key(&(truth, prediction), |cell| (cell.truth as usize, cell.prediction as usize))
            .map_or(0, |found| self.cells[found].count)
    }

    /// The row of class `truth`: how its samples were predicted, one count a class.
    pub fn row(&self, truth: usize) -> Vec<u64> {
        let mut row = vec![0; self.classes()];
        let start = self.cells.partition_point(|cell| (cell.truth as usize) < truth);
        for cell in self.cells[start..].iter().take_while(|cell| cell.truth as usize == truth) {
            row[cell.prediction as usize] = cell.count;
        }
        row
    }

    /// The whole matrix, a row a class of truth. It holds classes squared numbers: for printing and charts.
    pub fn rows(&self) -> Vec<Vec<u64>> {
        (0..self.classes()).map(|truth| self.row(truth)).collect()
    }

    /// The row of class `truth` divided by its sum; `None` where the class has no sample (scikit-learn writes zeros).
    pub fn normalised_row(&self, truth: usize) -> Option<Vec<f64>> {
        let support = self.tallies.get(truth)?.support;
        (support > 0).then(|| self.row(truth).iter().map(|&count| count as f64 / support as f64).collect())
    }

    /// TP, FP, FN and TN of a class; `None` beyond the last class.
    pub fn class_counts(&self, class: usize) -> Option<ClassCounts> {
        let tally = self.tallies.get(class)?;
        Some(ClassCounts {
            true_positive: tally.hits,
            false_positive: tally.predicted - tally.hits,
            false_negative: tally.support - tally.hits,
            true_negative: self.samples - tally.union(),
        })
    }

    /// Precision, recall and F1 of a class, with 0 / 0 = 0 (`zero_division=0`); `None` for a class that occurs
    /// neither in truth nor in prediction.
    pub fn class_scores(&self, class: usize) -> Option<Scores> {
        self.tallies.get(class)?.scores()
    }

    /// Accuracy and averages, as `classification_report` gives them with `labels=` the classes that occur in truth
    /// or prediction and `zero_division=0`.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.tallies)
    }

    /// The counts of every class.
    pub(crate) fn tallies(&self) -> &[Tally] {
        &self.tallies
    }
}
