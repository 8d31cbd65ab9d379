//! Where a run stands, moved on.

use avizor_metrics::Confusion;

use crate::checkpoint::{EpochSums, FORMAT, Position};
use crate::schedule::Plateau;

/// Both sides come from this program, so they are of one length and in range.
pub(super) fn confusion(truth: &[u32], prediction: &[u32], classes: usize) -> Confusion {
    Confusion::new(truth, prediction, classes)
        .unwrap_or_else(|error| unreachable!("labels and predictions are of one class list: {error}"))
}

impl Position {
    /// Before the first step.
    pub(crate) fn start(classes: usize) -> Self {
        Self {
            format: FORMAT,
            step: 0,
            epoch: 0,
            batch: 0,
            sums: EpochSums::new(classes),
            best: None,
            head_best: None,
            epochs_without_better: 0,
            plateau: Plateau::default(),
            seconds: 0.0,
        }
    }

    /// Whether the epoch with this number, from 1, is about to begin after the head's, of which there are some.
    pub(super) fn is_start_of(&self, head_epochs: usize) -> bool {
        head_epochs > 0 && self.epoch == head_epochs && self.batch == 0
    }

    pub(super) fn next_epoch(&mut self, classes: usize, plateau: Plateau) {
        self.epoch += 1;
        self.batch = 0;
        self.sums = EpochSums::new(classes);
        self.plateau = plateau;
    }
}

impl EpochSums {
    pub(super) fn new(classes: usize) -> Self {
        Self { loss_bits: 0f64.to_bits(), pictures: 0, confusion: vec![0; classes * classes] }
    }

    pub(super) fn add(&mut self, loss: f32, labels: &[i32], logits: &[f32]) {
        let sum = f64::from_bits(self.loss_bits) + f64::from(loss) * labels.len() as f64;
        self.loss_bits = sum.to_bits();
        self.pictures += labels.len() as u64;
        let classes = logits.len() / labels.len().max(1);
        for (&label, logits) in labels.iter().zip(logits.chunks_exact(classes)) {
            let mut prediction = 0;
            for (class, &logit) in logits.iter().enumerate() {
                if logit > logits[prediction] {
                    prediction = class;
                }
            }
            self.confusion[label as usize * classes + prediction] += 1;
        }
    }

    /// Mean loss and confusion of what was added.
    pub(super) fn finish(&self, classes: usize) -> (f64, Confusion) {
        let (mut truth, mut prediction) = (Vec::new(), Vec::new());
        for (cell, &count) in self.confusion.iter().enumerate() {
            truth.extend(std::iter::repeat_n((cell / classes) as u32, count as usize));
            prediction.extend(std::iter::repeat_n((cell % classes) as u32, count as usize));
        }
        (f64::from_bits(self.loss_bits) / self.pictures.max(1) as f64, confusion(&truth, &prediction, classes))
    }
}
