//! What a kernel runs on.

use crate::{Level, Pool};

/// A level and the threads: every kernel takes one.
#[derive(Debug)]
pub struct Cpu {
    level: Level,
    pool: Pool,
}

impl Cpu {
    /// Starts `threads` threads (the caller counts as one) that use the instructions of `level`.
    ///
    /// # Panics
    /// When the machine lacks the level: kernels of a level run without asking again.
    pub fn new(threads: usize, level: Level) -> Self {
        assert!(level.is_available(), "this machine has no {level}");
        Self { level, pool: Pool::new(threads) }
    }

    /// The level; this machine has it.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The threads.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// How many threads there are, the caller's included.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }
}
