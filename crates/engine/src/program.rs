//! A graph made ready to run: a flat list of steps.

use avizor_base::Seed;
use avizor_kernels::{Cpu, Memory, Place, Space};

use crate::lower::{Call, Kernel};
use crate::plan_table::{PlanRow, PlanTable};
use crate::{DType, State, TensorType};

/// A compiled graph. It holds no values: those live in the [`State`] that it was compiled with.
///
/// Running it allocates nothing, takes no lock but the thread pool's turn, and gives the same bits whatever the number
/// of threads.
#[derive(Debug)]
pub struct Program {
    /// What depends on parameters alone, computed when those have changed.
    pub(crate) constant_steps: Vec<Step>,
    pub(crate) steps: Vec<Step>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    pub(crate) updates_parameters: bool,
    pub(crate) space: Space,
    pub(crate) program_bytes: usize,
    pub(crate) arena_bytes: usize,
}

/// A kernel with everything it works on.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) kernel: Kernel,
    pub(crate) reads: Box<[Place]>,
    pub(crate) writes: Box<[Place]>,
    pub(crate) row: PlanRow,
}

impl Step {
    fn run(&self, cpu: &Cpu, memory: &mut Memory, seed_and_step: (Seed, u64)) {
        (self.kernel.run)(cpu, &mut Call { memory, reads: &self.reads, writes: &self.writes, seed_and_step });
    }
}

/// A named input or output.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) of: TensorType,
    pub(crate) place: Place,
}

impl Program {
    /// Computes all outputs, gradients and new running statistics from the inputs and parameters in `state`.
    ///
    /// # Panics
    /// When `state` is not the one that the program was compiled with.
    pub fn run(&self, cpu: &Cpu, state: &mut State) {
        self.run_observed(cpu, state, &mut |_| {});
    }

    /// As [`run`](Self::run); `observe` is called with every step's row after it ran: take the time there.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_observed(&self, cpu: &Cpu, state: &mut State, observe: &mut dyn FnMut(&PlanRow)) {
        let mut run = |step: &Step, state: &mut State| {
            step.run(cpu, &mut state.memory, state.seed_and_step);
            observe(&step.row);
        };
        if state.needs_constants(self.space) {
            self.constant_steps.iter().for_each(|step| run(step, state));
            state.has_constants(self.space);
        }
        self.steps.iter().for_each(|step| run(step, state));
        if self.updates_parameters {
            state.parameters_changed();
        }
    }

    /// What runs in which order, with its kernel, shapes and memory.
    pub fn plan(&self) -> PlanTable<'_> {
        let rows = self.constant_steps.iter().chain(&self.steps).map(|step| &step.row).collect();
        PlanTable { rows, arena_bytes: self.arena_bytes, program_bytes: self.program_bytes, times: None }
    }

    /// Bytes of the arena that this program uses; other programs of the same state use the same bytes.
    pub fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// Bytes of inputs, outputs and folded weights, which are this program's own.
    pub fn program_bytes(&self) -> usize {
        self.program_bytes
    }

    /// Whether there is an input of this name.
    pub fn has_input(&self, name: &str) -> bool {
        self.inputs.iter().any(|port| port.name == name)
    }

    /// Types of the inputs by name.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, &TensorType)> {
        self.inputs.iter().map(|port| (port.name.as_str(), &port.of))
    }

    /// Types of the outputs by name.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, &TensorType)> {
        self.outputs.iter().map(|port| (port.name.as_str(), &port.of))
    }

    /// Place and bytes of an input.
    pub(crate) fn input(&self, name: &str, dtype: DType) -> (Place, usize) {
        let port = find(&self.inputs, "input", name, dtype);
        (port.place, port.of.bytes())
    }

    pub(crate) fn output(&self, name: &str) -> Place {
        find(&self.outputs, "output", name, DType::F32).place
    }
}

fn find<'p>(ports: &'p [Port], what: &str, name: &str, dtype: DType) -> &'p Port {
    let port = ports.iter().find(|port| port.name == name && port.of.dtype == dtype);
    port.unwrap_or_else(|| {
        let have: Vec<String> = ports.iter().map(|port| format!("{:?} ({})", port.name, port.of)).collect();
        panic!("the program has no {dtype} {what} {name:?}; it has {}", have.join(", "))
    })
}
