//! Gradients of several batches for one step.

use avizor_kernels::{Cpu, Place, elementwise};

use crate::State;

/// The sum of the gradients of some batches, in a slot of the [`State`] that travels with it: a step with their mean is that
/// of one large batch, but for norms that take statistics of each.
#[derive(Clone, Copy, Debug)]
pub struct Accumulator {
    gradients: Place,
    sums: Place,
}

impl Accumulator {
    /// An accumulator over all parameters; a new one is empty.
    pub fn new(state: &mut State) -> Self {
        let [_, gradients, _] = state.whole();
        let sums = Place { space: state.slot("accumulated"), ..gradients };
        Self { gradients, sums }
    }

    /// Adds what the last run left, as often as `weight` says: the number of its samples, when it left their mean.
    pub fn add(&self, cpu: &Cpu, state: &mut State, weight: f64) {
        let ([gradients], [sums]) = state.memory.access([self.gradients], [self.sums]);
        elementwise::accumulate(cpu, weight as f32, gradients, sums);
    }

    /// Puts the sum over `weights` in place of the gradients, and is empty again.
    pub fn finish(&self, cpu: &Cpu, state: &mut State, weights: f64) {
        let ([], [gradients, sums]) = state.memory.access([], [self.gradients, self.sums]);
        elementwise::scale(cpu, (1.0 / weights) as f32, sums, gradients);
        elementwise::fill(cpu, 0.0, sums);
    }
}
