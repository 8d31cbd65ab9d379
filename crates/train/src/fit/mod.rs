//! The training loop: epochs of steps, a look at the validation part after each, the best kept.

mod position;
mod steps;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use avizor_base::{Event, Listener, Seed};
use avizor_data::loader::{Loader, LoaderOptions, plain_order};
use avizor_engine::{Accumulator, Average, State};
use avizor_kernels::Cpu;
use avizor_metrics::{Metric, log_loss};
use avizor_predict::{Scorer, Scores};

use position::confusion;

use crate::checkpoint::{Best, Checkpoints, Generation, NewBest, Position};
use crate::error::TrainError;
use crate::evaluate::Evaluated;
use crate::learning::Learns;
use crate::network::NetworkPlan;
use crate::phase::Phase;
use crate::recipe::Recipe;
use crate::setup::Setup;

/// Pictures that are evaluated together.
const SCORED_TOGETHER: usize = 32;

/// How a fit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All epochs are done.
    AllEpochs,
    /// No better epoch for as long as the recipe says.
    EarlyStop,
    /// Somebody asked for it; a checkpoint was written.
    Interrupted,
}

impl End {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::AllEpochs => "all epochs done",
            Self::EarlyStop => "early stop: no better epoch for as long as the recipe allows",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A training under way.
pub(crate) struct Fit<'r> {
    recipe: &'r Recipe,
    setup: &'r Setup,
    plan: &'r NetworkPlan,
    cpu: &'r Cpu,
    pub(crate) state: State,
    phase: Phase,
    accumulator: Option<Accumulator>,
    average: Option<Average>,
    scorer: Scorer,
    checkpoints: Checkpoints,
    pub(crate) position: Position,
    /// The best parameters, until a checkpoint takes them.
    new_best: Option<NewBest>,
    /// Whether epochs have ended since the last checkpoint was begun.
    is_behind: bool,
    select: Metric,
    seed: Seed,
    /// Work before this sitting.
    earlier_seconds: f64,
    started: Instant,
}

impl<'r> Fit<'r> {
    /// At the start of the run, or where its last checkpoint left it.
    ///
    /// # Errors
    /// A network that cannot be compiled, a checkpoint that cannot be read.
    pub(crate) fn new(
        recipe: &'r Recipe,
        setup: &'r Setup,
        plan: &'r NetworkPlan,
        mut state: State,
        cpu: &'r Cpu,
        checkpoints: Checkpoints,
    ) -> Result<Self, TrainError> {
        let started = Instant::now();
        let stored = checkpoints.read()?;
        let epoch = stored.as_ref().map_or(0, |(position, _)| position.epoch);
        let learns = if epoch < recipe.train.head_epochs { Learns::Head } else { Learns::Network };
        let mut phase = Phase::new(learns, recipe, setup, plan, cpu, &mut state)?;
        let scorer = plan.scorer(SCORED_TOGETHER, cpu, &mut state)?;
        let accumulator = (recipe.train.accumulate > 1).then(|| Accumulator::new(&mut state));
        let average = (recipe.train.ema > 0.0).then(|| Average::new(cpu, &mut state, recipe.train.ema));
        let position = match stored {
            Some((position, arrays)) => {
                state.import(&arrays)?;
                phase.rate.restore(position.plateau);
                position
            }
            None => Position::start(setup.classes().len()),
        };
        let name = recipe.train.select.0.trim_start_matches("val.");
        let Ok(select) = name.parse() else { unreachable!("the recipe was checked: {name}") };
        let earlier_seconds = position.seconds;
        Ok(Self {
            recipe,
            setup,
            plan,
            cpu,
            state,
            phase,
            accumulator,
            average,
            scorer,
            checkpoints,
            position,
            new_best: None,
            is_behind: false,
            select,
            seed: Seed(recipe.train.seed),
            earlier_seconds,
            started,
        })
    }

    fn epochs(&self) -> usize {
        self.recipe.train.head_epochs + self.recipe.train.epochs
    }

    /// Trains until the end, or until `stop` becomes true.
    ///
    /// # Errors
    /// A loss that is no number, a picture that vanished, a checkpoint that cannot be written.
    pub(crate) fn run(&mut self, stop: &AtomicBool, listener: &mut dyn Listener) -> Result<End, TrainError> {
        listener.on_event(&Event::RunStarted {
            epochs: self.epochs(),
            steps_per_epoch: self.setup.training.len().div_ceil(self.recipe.train.batch),
            first_step: self.position.step,
        });
        let end = self.run_epochs(stop, listener)?;
        self.is_behind |= end == End::Interrupted;
        self.settle(listener)?;
        Ok(end)
    }

    fn run_epochs(&mut self, stop: &AtomicBool, listener: &mut dyn Listener) -> Result<End, TrainError> {
        while self.position.epoch < self.epochs() {
            if self.position.is_start_of(self.recipe.train.head_epochs) {
                self.unfreeze(listener)?;
            }
            if self.is_early_stop() {
                return Ok(End::EarlyStop);
            }
            let started = Instant::now();
            if self.train_epoch(stop, listener)? == Pass::Stopped {
                return Ok(End::Interrupted);
            }
            self.end_epoch(started, listener)?;
        }
        Ok(End::AllEpochs)
    }

    /// From the epochs of the head to those of all the network. What the optimizer and the average remember is of the head
    /// alone and forgotten. Done again where a run is resumed just here, it gives the same.
    fn unfreeze(&mut self, listener: &mut dyn Listener) -> Result<(), TrainError> {
        self.settle(listener)?;
        self.restore_best()?;
        self.tell_first_answer(listener)?;
        self.position.head_best.clone_from(&self.position.best);
        self.position.epochs_without_better = 0;
        self.state.forget_optimizer();
        if let Some(average) = &self.average {
            average.restart(self.cpu, &mut self.state);
        }
        if self.phase.learns == Learns::Head {
            self.phase = Phase::new(Learns::Network, self.recipe, self.setup, self.plan, self.cpu, &mut self.state)?;
        }
        Ok(())
    }

    fn tell_first_answer(&mut self, listener: &mut dyn Listener) -> Result<(), TrainError> {
        let rows = &self.setup.rows.val;
        let scores = self.score_val()?;
        let evaluated = Evaluated::new(self.setup, rows, scores, self.seed)?;
        let accuracy = &evaluated.evaluation.accuracy;
        listener.on_event(&Event::FirstAnswer {
            seconds: self.seconds(),
            accuracy: accuracy.value,
            interval: accuracy.interval.map(|interval| [interval.low, interval.high]),
            pictures: rows.len(),
        });
        Ok(())
    }

    fn is_early_stop(&self) -> bool {
        let patience = if self.phase.learns == Learns::Head { 0 } else { self.recipe.train.early_stop };
        patience > 0 && self.position.epochs_without_better >= patience
    }

    fn train_epoch(&mut self, stop: &AtomicBool, listener: &mut dyn Listener) -> Result<Pass, TrainError> {
        let mut batches = self.batches()?;
        loop {
            // Asked before the batch is taken, so that what is done and what is counted agree.
            if stop.load(Ordering::Relaxed) {
                return Ok(Pass::Stopped);
            }
            let Some((loss, pictures)) = self.next_step(&mut batches)? else { return Ok(Pass::Complete) };
            self.position.step += 1;
            self.position.batch += 1;
            let (epoch, step) = (self.position.epoch + 1, self.position.batch);
            listener.on_event(&Event::Step { epoch, step, loss: f64::from(loss), pictures });
            let every = self.recipe.train.checkpoint_steps;
            if every > 0 && self.position.step.is_multiple_of(every as u64) {
                self.start_checkpoint(listener)?;
            }
        }
    }

    fn end_epoch(&mut self, started: Instant, listener: &mut dyn Listener) -> Result<(), TrainError> {
        let lr = self.phase.rate.at(self.position.step.saturating_sub(1));
        let classes = self.setup.classes().len();
        let (train_loss, train) = self.position.sums.finish(classes);
        let truth = self.setup.truth(&self.setup.rows.val);
        // What is evaluated is what may be kept.
        self.exchange_average();
        let scores = self.score_val()?;
        let confusion = confusion(&truth, &scores.predictions(), classes);
        let val_loss = log_loss(&truth, &scores.probabilities, classes).unwrap_or(f64::NAN);
        self.phase.rate.epoch_ended(val_loss);

        let value = self.select.value(&confusion, val_loss);
        let best = self.position.best.as_ref();
        let is_better = best.is_none_or(|best| self.select.improves(value, f64::from_bits(best.value_bits)));
        // Of epochs that are as good, the one that is surer of what is right.
        let is_surer =
            best.is_some_and(|best| value.to_bits() == best.value_bits && val_loss < f64::from_bits(best.loss_bits));
        let epoch = self.position.epoch + 1;
        if is_better || is_surer {
            let file = Best::file_of(epoch);
            self.new_best = Some(NewBest { file: file.clone(), parameters: self.parameters() });
            self.position.best = Some(Best { epoch, value_bits: value.to_bits(), loss_bits: val_loss.to_bits(), file });
        }
        self.exchange_average();
        self.position.epochs_without_better = if is_better { 0 } else { self.position.epochs_without_better + 1 };
        self.position.next_epoch(classes, self.phase.rate.memory());

        let metric = |metric: Metric| metric.value(&confusion, val_loss);
        let mut values = vec![
            ("train.loss".to_owned(), train_loss),
            ("train.accuracy".to_owned(), Metric::Accuracy.value(&train, train_loss)),
            ("train.macro_precision".to_owned(), Metric::MacroPrecision.value(&train, train_loss)),
            ("train.macro_f1".to_owned(), Metric::MacroF1.value(&train, train_loss)),
            ("val.loss".to_owned(), val_loss),
            ("val.accuracy".to_owned(), metric(Metric::Accuracy)),
            ("val.macro_precision".to_owned(), metric(Metric::MacroPrecision)),
            ("val.macro_f1".to_owned(), metric(Metric::MacroF1)),
        ];
        if !values.iter().any(|(name, _)| *name == self.recipe.train.select.0) {
            values.push((self.recipe.train.select.0.clone(), value));
        }
        values.push(("lr".to_owned(), lr));
        values.push(("seconds".to_owned(), started.elapsed().as_secs_f64()));
        listener.on_event(&Event::Epoch { epoch, values, best: is_better || is_surer });
        // Short epochs neither wait for the disk nor take their time for copies of what the next will replace.
        self.is_behind = self.checkpoints.is_recent();
        if self.is_behind { Ok(()) } else { self.start_checkpoint(listener) }
    }

    fn exchange_average(&mut self) {
        if let Some(average) = &self.average {
            average.exchange(&mut self.state);
        }
    }

    /// What the network says about the validation part.
    fn score_val(&mut self) -> Result<Scores, TrainError> {
        let rows = &self.setup.rows.val;
        match &self.phase.features {
            Some(features) => Ok(features.score(self.setup, rows, self.cpu, &mut self.state)),
            None => self.score(rows),
        }
    }

    /// Begins a checkpoint of this moment, when the one before is complete.
    fn start_checkpoint(&mut self, listener: &mut dyn Listener) -> Result<(), TrainError> {
        self.finish_checkpoint(listener)?;
        self.position.seconds = self.seconds();
        self.is_behind = false;
        let (position, best) = (self.position.clone(), self.new_best.take());
        self.checkpoints.start(Generation { position, arrays: self.state.export(), best });
        Ok(())
    }

    fn finish_checkpoint(&mut self, listener: &mut dyn Listener) -> Result<(), TrainError> {
        if let Some(step) = self.checkpoints.finish()? {
            listener.on_event(&Event::Checkpoint { step });
        }
        Ok(())
    }

    /// Returns when all that was reached is on disk.
    fn settle(&mut self, listener: &mut dyn Listener) -> Result<(), TrainError> {
        if self.is_behind {
            self.start_checkpoint(listener)?;
        }
        self.finish_checkpoint(listener)
    }

    /// The seed of everything random in training.
    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    /// Seconds of work, earlier sittings included.
    pub(crate) fn seconds(&self) -> f64 {
        self.earlier_seconds + self.started.elapsed().as_secs_f64()
    }

    /// The parameters alone, without what the optimizer remembers.
    fn parameters(&self) -> Vec<avizor_engine::NamedArray> {
        let array = |parameter: &avizor_engine::Parameter| avizor_engine::NamedArray {
            name: parameter.name.clone(),
            shape: parameter.disk_shape(),
            values: self.state.read_disk(&parameter.name).unwrap_or_default(),
        };
        self.state.parameters().iter().map(array).collect()
    }

    /// Puts the best parameters in place of the last ones. All that was reached must be on disk.
    ///
    /// # Errors
    /// Their file cannot be read.
    pub(crate) fn restore_best(&mut self) -> Result<Option<usize>, TrainError> {
        self.position.best.clone().map(|best| self.restore(&best)).transpose()
    }

    /// Puts the best parameters of the epochs of the head in place, where others are kept.
    ///
    /// # Errors
    /// Their file cannot be read.
    pub(crate) fn restore_head(&mut self) -> Result<bool, TrainError> {
        let head = self.position.head_best.clone();
        let head = head.filter(|head| self.position.best.as_ref().is_some_and(|best| best.epoch != head.epoch));
        head.map(|head| self.restore(&head)).transpose().map(|epoch| epoch.is_some())
    }

    fn restore(&mut self, best: &Best) -> Result<usize, TrainError> {
        for array in self.checkpoints.read_best(best)? {
            self.state.write_disk(&array.name, &array.shape, &array.values)?;
        }
        Ok(best.epoch)
    }

    /// What the network says about some rows of the index, in their order.
    ///
    /// # Errors
    /// A picture that cannot be read any more.
    pub(crate) fn score(&mut self, rows: &[u32]) -> Result<Scores, TrainError> {
        let mut scores = Scores { classes: self.setup.classes().len(), ..Scores::default() };
        if !self.plan.options.sees_pictures() {
            for rows in rows.chunks(self.scorer.batch()) {
                self.scorer.score(self.cpu, &mut self.state, &[], &self.setup.metadata_of(rows), &mut scores);
            }
            return Ok(scores);
        }
        let options = LoaderOptions {
            batch: self.scorer.batch(),
            epoch: 0,
            seed: self.seed,
            threads: self.cpu.threads(),
            first_batch: 0,
        };
        let mut loader = Loader::new(Arc::clone(&self.setup.prepared), plain_order(rows), None, options)?;
        while let Some(batch) = loader.next_batch()? {
            let metadata = self.setup.metadata_of(&batch.rows);
            self.scorer.score(self.cpu, &mut self.state, &batch.images, &metadata, &mut scores);
        }
        Ok(scores)
    }
}

/// How far a pass over the training part came.
#[derive(PartialEq, Eq)]
enum Pass {
    Complete,
    Stopped,
}
