//! The learning rate as a function of step and of what validation said.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::recipe::{Schedule, ScheduleName};

/// The relative fall of the validation loss that counts as one: `ReduceLROnPlateau`'s default.
const THRESHOLD: f64 = 1e-4;

/// The share of the steps in which `onecycle` rises, what it starts at and what it ends at, as shares of its largest rate:
/// `OneCycleLR`'s defaults.
const ONE_CYCLE: [f64; 3] = [0.3, 1.0 / 25.0, 1.0 / 25.0 / 1e4];

/// A schedule under way. What it remembers is part of a checkpoint.
#[derive(Clone, Debug)]
pub(crate) struct LearningRate {
    options: Schedule,
    start: f64,
    steps_per_epoch: u64,
    /// Step of the run that it begins with.
    first_step: u64,
    /// Steps that it lasts.
    steps: u64,
    plateau: Plateau,
}

/// What `plateau` remembers between epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plateau {
    /// What the rate has been multiplied by so far.
    scale: f64,
    /// Lowest validation loss; `None` before the first.
    best: Option<f64>,
    /// Epochs since then.
    bad_epochs: usize,
}

impl Default for Plateau {
    fn default() -> Self {
        Self { scale: 1.0, best: None, bad_epochs: 0 }
    }
}

impl LearningRate {
    /// A schedule that starts at `start` and lasts `epochs`.
    pub(crate) fn new(options: Schedule, start: f64, epochs: usize, steps_per_epoch: usize) -> Self {
        let steps_per_epoch = steps_per_epoch as u64;
        let steps = steps_per_epoch * epochs as u64;
        Self { options, start, steps_per_epoch, first_step: 0, steps, plateau: Plateau::default() }
    }

    /// The same rate at every step.
    pub(crate) fn constant(rate: f64) -> Self {
        let options = Schedule { name: ScheduleName::None, min_lr: 0.0, warmup_epochs: 0, ..Schedule::default() };
        Self::new(options, rate, 0, 0)
    }

    /// The same from a later step of the run on.
    pub(crate) fn starting_at(self, first_step: u64) -> Self {
        Self { first_step, ..self }
    }

    /// The rate of a step, counted from 0 over the whole run.
    pub(crate) fn at(&self, step: u64) -> f64 {
        let step = step.saturating_sub(self.first_step);
        let warmup = self.options.warmup_epochs as u64 * self.steps_per_epoch;
        if step < warmup {
            return self.start * (step + 1) as f64 / warmup as f64;
        }
        let rate = match self.options.name {
            ScheduleName::None => self.start,
            ScheduleName::Plateau => self.start * self.plateau.scale,
            ScheduleName::Cosine => {
                let (done, all) = ((step - warmup) as f64, self.steps.saturating_sub(warmup).max(1) as f64);
                return half_cosine(self.start, self.options.min_lr, done / all);
            }
            ScheduleName::OneCycle => {
                let [rising, first, last] = ONE_CYCLE;
                let (last_step, top) = (self.steps.saturating_sub(1) as f64, rising * self.steps as f64 - 1.0);
                let step = step as f64;
                return if step <= top {
                    half_cosine(self.start * first, self.start, step / top)
                } else {
                    half_cosine(self.start, self.start * last, (step - top) / (last_step - top).max(1.0))
                };
            }
            ScheduleName::Step => {
                let epochs = (step - warmup) / self.steps_per_epoch.max(1);
                self.start * self.options.factor.powi((epochs / self.options.patience.max(1) as u64) as i32)
            }
        };
        rate.max(self.options.min_lr)
    }

    /// Tells the validation loss of the epoch that ended.
    pub(crate) fn epoch_ended(&mut self, val_loss: f64) {
        if self.options.name != ScheduleName::Plateau {
            return;
        }
        let plateau = &mut self.plateau;
        if plateau.best.is_none_or(|best| val_loss < best * (1.0 - THRESHOLD)) {
            plateau.best = Some(val_loss);
            plateau.bad_epochs = 0;
        } else {
            plateau.bad_epochs += 1;
        }
        if plateau.bad_epochs > self.options.patience {
            plateau.scale *= self.options.factor;
            plateau.bad_epochs = 0;
        }
    }

    pub(crate) fn memory(&self) -> Plateau {
        self.plateau
    }

    pub(crate) fn restore(&mut self, memory: Plateau) {
        self.plateau = memory;
    }
}

/// From one value to another as a share of the way is done.
fn half_cosine(from: f64, to: f64, done: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * done.clamp(0.0, 1.0)).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(name: ScheduleName, warmup_epochs: usize) -> LearningRate {
        let options = Schedule { name, factor: 0.5, patience: 2, min_lr: 0.01, warmup_epochs };
        LearningRate::new(options, 1.0, 10, 4)
    }

    #[test]
    fn plateau_cuts_as_torch_does() {
        // torch 2.15: ReduceLROnPlateau(SGD(lr=1), factor=0.5, patience=2, min_lr=0.01), stepped with these losses.
        let losses = [1.0, 0.9, 0.9, 0.89999, 0.95, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8];
        let expected = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125];
        let mut rate = rate(ScheduleName::Plateau, 0);
        for (epoch, (loss, expected)) in losses.into_iter().zip(expected).enumerate() {
            rate.epoch_ended(loss);
            assert_eq!(rate.at(0), expected, "epoch {epoch}");
        }
    }

    #[test]
    fn cosine_runs_from_start_to_minimum_after_the_warmup() {
        let rate = rate(ScheduleName::Cosine, 2);
        assert_eq!(rate.at(0), 1.0 / 8.0);
        assert_eq!(rate.at(7), 1.0);
        assert_eq!(rate.at(8), 1.0);
        assert!((rate.at(24) - 0.505).abs() < 1e-12);
        assert!(rate.at(39) > 0.01 && rate.at(39) < 0.02);
        assert!((rate.at(40) - 0.01).abs() < 1e-12);
    }

    #[test]
    fn one_cycle_is_torchs() {
        // torch 2.15: OneCycleLR(SGD, max_lr=1, total_steps=40, cycle_momentum=False), at these steps.
        let expected = [
            (0, 0.04),
            (3, 0.205_666_847_706_263_1),
            (11, 1.0),
            (12, 0.996_856_117_522_201_6),
            (20, 0.766_016_974_193_515_2),
            (38, 0.003_147_882_477_798_484_7),
            (39, 4e-6),
        ];
        for (step, expected) in expected {
            let have = rate(ScheduleName::OneCycle, 0).at(step);
            assert!((have - expected).abs() < 1e-12, "step {step}: {have}, torch has {expected}");
        }
    }

    #[test]
    fn a_schedule_may_begin_in_the_middle_of_a_run() {
        let whole = rate(ScheduleName::Cosine, 2);
        let later = rate(ScheduleName::Cosine, 2).starting_at(100);
        for step in [0, 5, 8, 30, 40] {
            assert_eq!(later.at(100 + step), whole.at(step));
        }
    }

    #[test]
    fn steps_cut_every_so_many_epochs_and_never_below_the_minimum() {
        let rate = rate(ScheduleName::Step, 0);
        assert_eq!([rate.at(0), rate.at(7), rate.at(8), rate.at(16)], [1.0, 1.0, 0.5, 0.25]);
        assert_eq!(rate.at(8 * 20), 0.01);
        assert_eq!(self::rate(ScheduleName::None, 0).at(1000), 1.0);
    }

    #[test]
    fn what_plateau_remembers_is_all_there_is_to_remember() {
        let mut first = rate(ScheduleName::Plateau, 0);
        for loss in [1.0, 1.0, 1.0] {
            first.epoch_ended(loss);
        }
        let mut second = rate(ScheduleName::Plateau, 0);
        second.restore(first.memory());
        for loss in [1.0, 1.0, 0.4, 0.5] {
            first.epoch_ended(loss);
            second.epoch_ended(loss);
            assert_eq!(first.at(5), second.at(5));
        }
    }
}
