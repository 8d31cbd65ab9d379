//! What the verbs need from the world.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use avizor_base::{Listener, Note};
use avizor_kernels::Level;

/// What a run needs from the world: threads, the clock, who listens, when to stop.
pub struct Environment<'e> {
    /// Threads to work with.
    pub threads: usize,
    /// Instructions to use; the machine has them.
    pub level: Level,
    /// The time as RFC 3339, UTC: libraries read no clock.
    pub now: fn() -> String,
    /// Set by Ctrl-C.
    pub stop: &'e AtomicBool,
    /// The command line, for the record.
    pub command: Vec<String>,
    /// The program's version, for the record.
    pub version: &'e str,
    /// Folder of what earlier runs learnt of pictures; `None`: nothing is remembered.
    pub cache: Option<&'e Path>,
    /// What a person should know of how the recipe came about; goes into the run.
    pub notes: Vec<Note>,
    /// Who is told what happens.
    pub listener: &'e mut dyn Listener,
    /// Who is told how far reading has come.
    pub reading: &'e mut dyn FnMut(Reading),
}

impl Environment<'_> {
    /// The date, as the names of folders begin with it.
    pub(crate) fn today(&self) -> String {
        (self.now)().chars().take(10).collect()
    }
}

/// What is being done before training, for whoever shows progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Files read so far.
    pub done: usize,
    /// Files in all.
    pub all: usize,
}
