//! What a step is: the next batch, through the program, into the parameters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use avizor_data::loader::{Batch, Loader, LoaderOptions, Visit, shuffled_order, weighted_order};

use super::Fit;
use crate::error::TrainError;
use crate::loss::Shares;
use crate::mixing::{Mixing, partners};
use crate::schedule::{LearningRate, Plateau};

/// What steps of an epoch are made from.
pub(super) enum Batches {
    Pictures(Loader),
    /// Of kept features, or of metadata alone.
    Visits(std::vec::IntoIter<Vec<Visit>>),
}

impl Fit<'_> {
    /// Steps at these rates and no other, over as many epochs as they take, until `go_on`, told rate and loss, says that it is
    /// enough. Nothing is evaluated or stored.
    ///
    /// # Errors
    /// A picture that vanished.
    pub(crate) fn steps_at(
        &mut self,
        rates: impl Iterator<Item = f64>,
        stop: &AtomicBool,
        mut go_on: impl FnMut(f64, f32) -> bool,
    ) -> Result<(), TrainError> {
        let mut batches = self.batches()?;
        for rate in rates {
            self.phase.rate = LearningRate::constant(rate);
            let loss = loop {
                match self.next_step(&mut batches) {
                    Ok(Some((loss, _))) | Err(TrainError::Diverged { loss, .. }) => break loss,
                    Err(error) => return Err(error),
                    Ok(None) => {
                        self.position.next_epoch(self.setup.classes().len(), Plateau::default());
                        batches = self.batches()?;
                    }
                }
            };
            (self.position.step, self.position.batch) = (self.position.step + 1, self.position.batch + 1);
            if !go_on(rate, loss) || stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(())
    }

    /// A step on the next batch, with its loss and number of pictures; `None` at the end of the epoch.
    pub(super) fn next_step(&mut self, batches: &mut Batches) -> Result<Option<(f32, usize)>, TrainError> {
        match batches {
            Batches::Pictures(loader) => match loader.next_batch()? {
                Some(batch) => Ok(Some((self.step_on_pictures(batch)?, batch.len()))),
                None => Ok(None),
            },
            Batches::Visits(batches) => match batches.next() {
                Some(visits) => Ok(Some((self.step_without_pictures(&visits)?, visits.len()))),
                None => Ok(None),
            },
        }
    }

    /// What is left of the epoch.
    pub(super) fn batches(&self) -> Result<Batches, TrainError> {
        if self.phase.features.is_some() || !self.plan.options.sees_pictures() {
            let visits = self.visits();
            let batches: Vec<_> = visits.chunks(self.recipe.train.batch).map(<[Visit]>::to_vec).collect();
            let mut batches = batches.into_iter();
            batches.by_ref().take(self.position.batch).for_each(drop);
            return Ok(Batches::Visits(batches));
        }
        let options = LoaderOptions {
            batch: self.recipe.train.batch,
            epoch: self.position.epoch as u64,
            seed: self.seed,
            threads: self.cpu.threads(),
            first_batch: self.position.batch,
        };
        let transforms = Some(self.recipe.transforms.train.clone());
        let loader = Loader::new(Arc::clone(&self.setup.prepared), self.visits(), transforms, options)?;
        Ok(Batches::Pictures(loader))
    }

    fn visits(&self) -> Vec<Visit> {
        let epoch = self.position.epoch as u64;
        if self.setup.draws_weighted(&self.recipe.balance) {
            weighted_order(self.seed, epoch, &self.setup.rows.train, self.setup.index.labels())
        } else {
            shuffled_order(self.seed, epoch, self.setup.training.clone())
        }
    }

    fn step_on_pictures(&mut self, batch: &Batch) -> Result<f32, TrainError> {
        self.fill_metadata(batch.rows.iter().copied());
        if let Some(mixing) = self.phase.mixing {
            return self.step_on_mixed(mixing, batch);
        }
        let program = self.phase.program_for(batch.len());
        self.state.input_u8_mut(program, "image").copy_from_slice(&batch.images);
        self.step(&batch.labels, &batch.labels)
    }

    /// On pictures mixed in pairs. A mixed picture counts as one of the class that it shows more of.
    fn step_on_mixed(&mut self, mixing: Mixing, batch: &Batch) -> Result<f32, TrainError> {
        let size = self.plan.preprocess.size;
        let mix = mixing.draw(self.seed, self.position.step, size);
        let program = self.phase.program_for(batch.len());
        mix.apply(&batch.images, size, self.state.input_u8_mut(program, "image"));
        let partners = partners(&batch.labels);
        self.state.input_i32_mut(program, "partner_labels").copy_from_slice(&partners);
        let own = mix.own_share(size);
        for (name, share) in Shares::new(own, &batch.labels, self.phase.class_weights.as_deref()).named() {
            self.state.input_f32_mut(program, name)[0] = share;
        }
        let shown = if own >= 0.5 { &batch.labels } else { &partners };
        self.step(&batch.labels, shown)
    }

    /// On kept features, or on metadata alone.
    fn step_without_pictures(&mut self, visits: &[Visit]) -> Result<f32, TrainError> {
        if let Some(features) = &self.phase.features {
            let program = self.phase.program_for(visits.len());
            features.fill(self.position.epoch, visits, self.state.input_f32_mut(program, "features"));
        }
        self.fill_metadata(visits.iter().map(|visit| visit.row));
        let labels: Vec<i32> =
            visits.iter().map(|visit| self.setup.index.label(visit.row as usize).index() as i32).collect();
        self.step(&labels, &labels)
    }

    fn fill_metadata(&mut self, rows: impl ExactSizeIterator<Item = u32>) {
        if let Some(metadata) = &self.setup.metadata {
            let program = self.phase.program_for(rows.len());
            metadata.fill(rows, self.state.input_f32_mut(program, "metadata"));
        }
    }

    /// A step on what the program's input holds. Predictions are counted against the labels that are `shown`.
    fn step(&mut self, labels: &[i32], shown: &[i32]) -> Result<f32, TrainError> {
        let program = self.phase.program_for(labels.len());
        let state = &mut self.state;
        state.set_step(self.seed, self.position.step);
        state.input_i32_mut(program, "labels").copy_from_slice(labels);
        program.run(self.cpu, state);
        let loss = state.output(program, "loss")[0];
        let lr = self.phase.rate.at(self.position.step);
        if !loss.is_finite() {
            let (epoch, step) = (self.position.epoch + 1, self.position.batch + 1);
            return Err(TrainError::Diverged { loss, epoch, step, lr });
        }
        self.position.sums.add(loss, shown, state.output(program, "logits"));
        if self.gather(labels.len()) {
            self.phase.optimizer.step(self.cpu, &mut self.state, lr);
            if let Some(average) = &self.average {
                average.update(self.cpu, &mut self.state);
            }
        }
        Ok(loss)
    }

    /// Whether the gradients of enough batches are together for a step; they then stand where a single batch leaves them.
    fn gather(&mut self, pictures: usize) -> bool {
        let Some(accumulator) = &self.accumulator else { return true };
        accumulator.add(self.cpu, &mut self.state, pictures as f64);
        let (together, batch) = (self.recipe.train.accumulate, self.recipe.train.batch);
        let (done, all) = (self.position.batch + 1, self.setup.training.len());
        let is_last = done * batch >= all;
        if !done.is_multiple_of(together) && !is_last {
            return false;
        }
        let first = (done - 1) / together * together * batch;
        accumulator.finish(self.cpu, &mut self.state, ((done * batch).min(all) - first) as f64);
        true
    }
}
