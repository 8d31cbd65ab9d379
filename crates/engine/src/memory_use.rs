//! How much memory a program and its state take, without taking it.

use avizor_kernels::Cpu;

use crate::compile::program_and_arena_bytes;
use crate::{CompileOptions, Graph, GraphError, OptimizerKind, State};

/// Bytes by what they hold, as [`Program::compile`](crate::Program::compile) and [`Optimizer::new`](crate::Optimizer::new) would
/// lay them out for one program.
///
/// A state reserves room for gradients and slots of everything. What is frozen never touches its part, and a system that gives
/// memory on first use never gives that: it is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// Of parameters, running statistics included.
    pub parameters: usize,
    /// Of gradients of what is trained.
    pub gradients: usize,
    /// Of the optimizer's slots for it.
    pub optimizer: usize,
    /// Of the program's own: inputs, outputs, folded and packed weights.
    pub program: usize,
    /// Of the arena: what lives between two operators, its gradients, and workspaces.
    pub arena: usize,
}

impl MemoryUse {
    /// Of a graph that is compiled with these options and stepped by this optimizer, if by any.
    ///
    /// # Errors
    /// As [`Program::compile`](crate::Program::compile).
    pub fn of(
        graph: &Graph,
        options: &CompileOptions,
        optimizer: Option<OptimizerKind>,
        cpu: &Cpu,
    ) -> Result<Self, GraphError> {
        let state = State::planned(graph);
        let [program, arena] = program_and_arena_bytes(graph, options, cpu, &state)?;
        let is_trained = |name: &str| options.loss.is_some() && options.trainable.contains(name);
        let trained = state.parameters().iter().filter(|of| !of.is_statistic() && is_trained(&of.name));
        let gradients = 4 * trained.map(|parameter| parameter.words()).sum::<usize>();
        let slots = optimizer.map_or(0, |kind| kind.slots().len());
        let parameters = 4 * (state.planned_words(false) + state.planned_words(true));
        Ok(Self { parameters, gradients, optimizer: slots * gradients, program, arena })
    }

    /// All of them together.
    pub fn total(&self) -> usize {
        let Self { parameters, gradients, optimizer, program, arena } = self;
        parameters + gradients + optimizer + program + arena
    }
}
