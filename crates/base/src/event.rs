//! What happens during a run, told to whoever listens.

use serde::{Deserialize, Serialize};

/// One thing that happened. `train` emits them and knows no listener; progress bar, run folder and trackers listen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A run begins, or goes on after an interruption.
    RunStarted {
        /// Epochs in all.
        epochs: usize,
        /// Steps of one epoch.
        steps_per_epoch: usize,
        /// Step that runs first: 0, or where the last checkpoint ended.
        first_step: u64,
    },
    /// A step of training ended. Not stored: too many.
    Step {
        /// Epoch, from 1.
        epoch: usize,
        /// Step within the epoch, from 1.
        step: usize,
        /// Mean loss of the batch.
        loss: f64,
        /// Pictures in the batch.
        pictures: usize,
    },
    /// An epoch ended.
    Epoch {
        /// From 1.
        epoch: usize,
        /// Named numbers: `train.loss`, `val.accuracy`, `lr` and so on, in a fixed order.
        values: Vec<(String, f64)>,
        /// Whether it is the best so far by the chosen metric.
        best: bool,
    },
    /// The epochs of the head are over: what its best one says of the validation part. The whole network learns next.
    FirstAnswer {
        /// Seconds of work so far.
        seconds: f64,
        /// Share of the pictures with the right name.
        accuracy: f64,
        /// Its interval of 95 %, low and high.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interval: Option<[f64; 2]>,
        /// Pictures that it rests on.
        pictures: usize,
    },
    /// A checkpoint is complete on disk.
    Checkpoint {
        /// Step after which it was taken, from the start of the run.
        step: u64,
    },
    /// Something a person should know.
    Warning(Note),
    /// The run ended.
    Finished {
        /// Why: all epochs done, early stop, interrupted.
        reason: String,
    },
}

/// A sentence for a person, with a word for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Stable word, such as `undecodable`.
    pub kind: String,
    /// The sentence.
    pub text: String,
}

/// Whoever wants to know what happens. A listener that fails keeps its failure to itself until it is asked.
pub trait Listener {
    /// Called on the training thread: be quick.
    fn on_event(&mut self, event: &Event);
}
