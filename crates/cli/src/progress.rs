//! What training looks like on a terminal: a line an epoch, and a bar that vanishes.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use avizor_base::{Event, Listener};
use avizor_hub::Progress as Transfer;
use avizor_train::Reading;
use indicatif::{ProgressBar, ProgressStyle};

use crate::numbers::{megabytes, seconds};

/// Writes to standard error, as progress and notes do. Without a terminal there is no bar.
pub(crate) struct Progress {
    quiet: bool,
    bar: ProgressBar,
    started: Instant,
    /// Steps done since `started`, and steps in all from there.
    steps: u64,
    all: u64,
    epochs: usize,
    pictures: usize,
    epoch_started: Instant,
    header: bool,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        let now = Instant::now();
        Self {
            quiet,
            bar: ProgressBar::hidden(),
            started: now,
            steps: 0,
            all: 0,
            epochs: 0,
            pictures: 0,
            epoch_started: now,
            header: false,
        }
    }

    fn say(&self, line: &str) {
        if self.quiet {
            return;
        }
        self.bar.suspend(|| {
            // Progress that cannot be shown stops nothing.
            let _ = writeln!(anstream::stderr(), "{line}");
        });
    }

    fn begin_bar(&mut self, length: u64) {
        self.bar.finish_and_clear();
        if self.quiet || !std::io::stderr().is_terminal() {
            return;
        }
        self.bar = ProgressBar::new(length);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}") {
            self.bar.set_style(style);
        }
    }

    fn step(&mut self, epoch: usize, loss: f64, pictures: usize) {
        self.steps += 1;
        self.pictures += pictures;
        let left =
            self.started.elapsed().as_secs_f64() / self.steps as f64 * (self.all - self.steps.min(self.all)) as f64;
        let rate = self.pictures as f64 / self.epoch_started.elapsed().as_secs_f64().max(1e-9);
        self.bar.set_message(format!(
            "epoch {epoch}/{}  loss {loss:.3}  {rate:.0} pictures/s  {} left",
            self.epochs,
            seconds(left)
        ));
        self.bar.inc(1);
    }

    fn epoch(&mut self, epoch: usize, values: &[(String, f64)], best: bool) {
        let value = |name: &str| values.iter().find(|(have, _)| have == name).map_or(f64::NAN, |(_, value)| *value);
        if !self.header {
            self.header = true;
            self.say("epoch  train loss  val loss  val accuracy  val macro F1        lr      time      left");
        }
        let time = value("seconds");
        let left = time * (self.epochs.saturating_sub(epoch)) as f64;
        self.say(&format!(
            "{epoch:>5}  {:>10.3}  {:>8.3}  {:>12.3}  {:>12.3}  {:>8.1e}  {:>8}  {:>8}{}",
            value("train.loss"),
            value("val.loss"),
            value("val.accuracy"),
            value("val.macro_f1"),
            value("lr"),
            seconds(time),
            seconds(left),
            if best { "  best" } else { "" }
        ));
        self.pictures = 0;
        self.epoch_started = Instant::now();
    }
}

impl Listener for Progress {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { epochs, steps_per_epoch, first_step } => {
                self.epochs = *epochs;
                self.all = (*epochs * *steps_per_epoch) as u64 - (*first_step).min((*epochs * *steps_per_epoch) as u64);
                (self.started, self.epoch_started) = (Instant::now(), Instant::now());
                self.begin_bar(self.all);
            }
            Event::Step { epoch, loss, pictures, .. } => self.step(*epoch, *loss, *pictures),
            Event::Epoch { epoch, values, best } => self.epoch(*epoch, values, *best),
            Event::FirstAnswer { seconds: took, accuracy, interval, pictures } => {
                let sure = interval.map_or(String::new(), |[low, high]| format!("95 % {low:.3}–{high:.3}, "));
                self.say(&format!(
                    "first answer after {}: val accuracy {accuracy:.3} ({sure}n = {pictures}); now all of the network learns",
                    seconds(*took)
                ));
            }
            Event::Warning(note) => self.say(&format!("note: {}", note.text)),
            Event::Finished { .. } => self.bar.finish_and_clear(),
            _ => {}
        }
    }
}

/// A bar for reading files.
pub(crate) struct ReadingBar {
    progress: Progress,
    all: usize,
}

impl ReadingBar {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { progress: Progress::new(quiet), all: 0 }
    }

    pub(crate) fn on_reading(&mut self, reading: Reading) {
        if self.all != reading.all {
            self.all = reading.all;
            self.progress.begin_bar(reading.all as u64);
            self.progress.bar.set_message("reading pictures");
        }
        self.progress.bar.set_position(reading.done as u64);
        if reading.done == reading.all {
            self.progress.bar.finish_and_clear();
        }
    }
}

/// A line for what is fetched, and a bar once it comes.
pub(crate) struct TransferBar {
    progress: Progress,
    bytes: Option<u64>,
    is_drawn: bool,
}

impl TransferBar {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { progress: Progress::new(quiet), bytes: None, is_drawn: false }
    }

    pub(crate) fn on_step(&mut self, step: &Transfer) {
        match step {
            Transfer::Begins { what, bytes } => {
                let size = bytes.map_or(String::new(), |bytes| format!(" ({})", megabytes(bytes)));
                self.progress.say(&format!("fetching {what}{size}"));
                self.bytes = *bytes;
            }
            Transfer::Bytes(so_far) => {
                let Some(bytes) = self.bytes else { return };
                if !std::mem::replace(&mut self.is_drawn, true) {
                    self.progress.begin_bar(bytes);
                }
                self.progress.bar.set_message(format!("{} of {}", megabytes(*so_far), megabytes(bytes)));
                self.progress.bar.set_position(*so_far);
                if *so_far == bytes {
                    self.progress.bar.finish_and_clear();
                }
            }
            Transfer::Again { why } => self.progress.say(&format!("note: {why}; trying again")),
            Transfer::Kept { why } => self.progress.say(&format!("note: {why}; what was fetched before is used")),
        }
    }
}

/// A line that says what begins, and a bar over networks that are measured one after the other. It vanishes when dropped.
pub(crate) struct MeasuringBar {
    progress: Progress,
    done: u64,
}

impl MeasuringBar {
    pub(crate) fn new(quiet: bool, networks: usize) -> Self {
        let mut progress = Progress::new(quiet);
        progress.say(&format!("measuring {networks} networks"));
        progress.begin_bar(networks as u64);
        Self { progress, done: 0 }
    }

    /// Says which one is measured now.
    pub(crate) fn begin(&mut self, network: &str) {
        self.progress.bar.set_message(network.to_owned());
        self.progress.bar.set_position(self.done);
        self.progress.bar.tick();
        self.done += 1;
    }
}

impl Drop for MeasuringBar {
    fn drop(&mut self) {
        self.progress.bar.finish_and_clear();
    }
}
