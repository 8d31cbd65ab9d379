//! What a kernel runs on.

use crate::conv2d::Conv2dMethods;
use crate::{Level, Pool};

/// A level and the threads: every kernel takes one.
#[derive(Debug)]
pub struct Cpu {
    level: Level,
    pool: Pool,
    conv2d_methods: Conv2dMethods,
}

impl Cpu {
    /// Starts `threads` threads (the caller counts as one) that use the instructions of `level`.
    ///
    /// # Panics
    /// When the machine lacks the level: kernels of a level run without asking again.
    pub fn new(threads: usize, level: Level) -> Self {
        assert!(level.is_available(), "this machine has no {level}");
        Self { level, pool: Pool::new(threads), conv2d_methods: Conv2dMethods::Auto }
    }

    /// The same, with a say in how convolutions planned for it are computed.
    pub fn with_conv2d_methods(self, conv2d_methods: Conv2dMethods) -> Self {
        Self { conv2d_methods, ..self }
    }

    /// Which methods a convolution planned for this may use.
    pub fn conv2d_methods(&self) -> Conv2dMethods {
        self.conv2d_methods
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
