//! Predictions and their numbers, as a run stores them.

use avizor_base::{Seed, Split};
use avizor_metrics::{Evaluation, Options, PairedAccuracy, evaluate};
use avizor_predict::Scores;
use avizor_store::{Matrix, PartMetrics, PredictionRow, Predictions, RunFolder, write_matrix};

use crate::error::TrainError;
use crate::setup::Setup;

/// What a network said about some samples, with all that is stored of it.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// A row a sample.
    pub predictions: Predictions,
    /// The numbers with their intervals.
    pub evaluation: Evaluation,
    /// The same as they are stored.
    pub metrics: PartMetrics,
    scores: Scores,
}

impl Evaluated {
    /// The numbers of some rows of the index, which `scores` are about.
    ///
    /// # Errors
    /// A probability that is no number.
    pub(crate) fn new(setup: &Setup, rows: &[u32], scores: Scores, seed: Seed) -> Result<Self, TrainError> {
        let (index, classes) = (&setup.index, setup.classes());
        let truth = setup.truth(rows);
        let prediction = scores.predictions();
        let groups = group_numbers(setup, rows);
        let inputs = avizor_metrics::Predictions {
            truth: &truth,
            prediction: &prediction,
            probabilities: &scores.probabilities,
            classes: classes.len(),
            groups: groups.as_deref(),
        };
        let evaluation = evaluate(&inputs, seed, Options::default()).map_err(|error| TrainError::Data {
            problem: format!("the network's predictions cannot be evaluated: {error}"),
            help: "train again with a lower optimizer.lr".to_owned(),
        })?;
        let Some(metrics) = PartMetrics::from_evaluation(&evaluation, classes) else {
            unreachable!("the evaluation is of these classes")
        };
        let row = |(position, &row): (usize, &u32)| PredictionRow {
            sample: index.name(row as usize).to_owned(),
            group: index.group(row as usize).map(str::to_owned),
            label: Some(index.label(row as usize)),
            prediction: avizor_base::ClassId(prediction[position]),
            weight: 1.0,
            probabilities: scores.row(position).to_vec(),
        };
        let predictions = Predictions { classes: classes.clone(), rows: rows.iter().enumerate().map(row).collect() };
        Ok(Self { predictions, evaluation, metrics, scores })
    }

    /// How much more accurate this is than another network's answers about the same rows.
    ///
    /// # Errors
    /// Other rows.
    pub(crate) fn gain_over(
        &self,
        setup: &Setup,
        rows: &[u32],
        other: &Self,
        seed: Seed,
    ) -> Result<PairedAccuracy, TrainError> {
        let (first, second) = (other.scores.predictions(), self.scores.predictions());
        let groups = group_numbers(setup, rows);
        PairedAccuracy::new(&setup.truth(rows), &first, &second, groups.as_deref(), seed, Options::default()).map_err(
            |error| TrainError::Data {
                problem: format!("two networks cannot be compared: {error}"),
                help: "evaluate each of them by itself".to_owned(),
            },
        )
    }

    /// Stores predictions and logits of a part.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write(&self, run: &RunFolder, part: Split) -> Result<(), TrainError> {
        self.predictions.write(&run.predictions_path(part))?;
        if let Some(logits) = Matrix::new(self.scores.classes, self.scores.logits.clone()) {
            write_matrix(&run.logits_path(part), &logits)?;
        }
        Ok(())
    }
}

/// The groups of the rows as numbers; `None` where the data have none. A sample without one is its own.
fn group_numbers(setup: &Setup, rows: &[u32]) -> Option<Vec<u32>> {
    if !setup.index.has_groups() {
        return None;
    }
    let mut numbers = std::collections::BTreeMap::new();
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        next - 1
    };
    let number = |&row: &u32| match setup.index.group(row as usize) {
        Some(group) => *numbers.entry(group).or_insert_with(&mut fresh),
        None => fresh(),
    };
    Some(rows.iter().map(number).collect())
}
