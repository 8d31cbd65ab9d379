//! The moving average of all parameters: what is evaluated and kept where a run asks for it.

use avizor_kernels::optimizer::moving_average;
use avizor_kernels::{Cpu, Place, elementwise};

use crate::State;

/// An exponential moving average of trained values and running statistics, in slots of the [`State`] that travel with it
/// (Polyak and Juditsky 1992, doi:10.1137/0330046).
///
/// Young averages forget faster, or the starting values would linger: after step t the decay is at most (1 + t) / (10 + t),
/// as TensorFlow's `ExponentialMovingAverage` does with `num_updates`.
#[derive(Clone, Copy, Debug)]
pub struct Average {
    decay: f64,
    /// Where parameters lie and where their averages do: of values, of statistics.
    places: [(Place, Place); 2],
}

impl Average {
    /// The average with this decay, in `0.0..1.0`. A new one starts from the parameters as they are.
    pub fn new(cpu: &Cpu, state: &mut State, decay: f64) -> Self {
        let is_new = !state.slots().contains_key(SLOT);
        let slot = state.slot_of_all(SLOT);
        let [values, _, statistics] = state.whole();
        let beside = |place: Place, space| (place, Place { space, ..place });
        let places = [beside(values, slot.values), beside(statistics, slot.statistics.unwrap_or(slot.values))];
        let average = Self { decay, places };
        if is_new {
            average.restart(cpu, state);
        }
        average
    }

    /// Starts again from the parameters as they are.
    pub fn restart(&self, cpu: &Cpu, state: &mut State) {
        for (from, to) in self.places {
            let ([from], [to]) = state.memory.access([from], [to]);
            elementwise::copy(cpu, from, to);
        }
    }

    /// Takes in the parameters after a step of the optimizer.
    pub fn update(&self, cpu: &Cpu, state: &mut State) {
        let steps = state.optimizer_steps() as f64;
        let decay = self.decay.min((1.0 + steps) / (10.0 + steps));
        for (from, to) in self.places {
            let ([from], [to]) = state.memory.access([from], [to]);
            moving_average(cpu, decay, from, to);
        }
    }

    /// Exchanges the parameters and their averages; a second call exchanges them back.
    pub fn exchange(&self, state: &mut State) {
        for (parameters, averages) in self.places {
            let ([], [parameters, averages]) = state.memory.access([], [parameters, averages]);
            parameters.swap_with_slice(averages);
        }
        state.parameters_changed();
    }
}

/// Name of the slot.
const SLOT: &str = "average";
