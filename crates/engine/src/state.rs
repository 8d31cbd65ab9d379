//! Everything that outlives a run: parameters, gradients, optimizer slots, inputs and outputs, by name.

use std::collections::BTreeMap;

use avizor_base::{Purpose, Seed};
use avizor_kernels::{Memory, Place, Space};

use crate::initialise::initial_values;
use crate::name_hash::name_hash;
use crate::{DType, Graph, GraphError, ParameterSpec, Program, Role, Shape, StateError};

/// Values start on cache lines: sixteen words.
pub(crate) const LINE_WORDS: usize = 16;

/// A parameter of a [`State`]: trained values or a running statistic.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name, as in the graph: torchvision's.
    pub name: String,
    /// Shape in memory.
    pub shape: Shape,
    /// What is known of it.
    pub spec: ParameterSpec,
    place: Place,
}

impl Parameter {
    /// Shape in files.
    pub fn disk_shape(&self) -> Shape {
        self.spec.layout.disk_shape(&self.shape)
    }

    /// Whether it is a running statistic, which is gathered and not trained.
    pub fn is_statistic(&self) -> bool {
        self.spec.role == Role::Statistic
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Words that it takes in its space: whole cache lines.
    pub(crate) fn words(&self) -> usize {
        self.place.len.next_multiple_of(LINE_WORDS)
    }
}

/// Numbers beside the parameters: each lies in its space where the parameter lies in its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// Of trained values.
    pub(crate) values: Space,
    /// Of running statistics, for slots that have them too.
    pub(crate) statistics: Option<Space>,
}

impl Slot {
    /// Where a parameter's part lies, if it has one.
    pub(crate) fn place(self, parameter: &Parameter) -> Option<Place> {
        let space = if parameter.is_statistic() { self.statistics? } else { self.values };
        Some(Place { space, ..parameter.place })
    }
}

/// Parameters, gradients and optimizer slots by name, and the memory that programs work in.
///
/// Trained parameters lie one after the other in the order of their declaration, gradients and slots likewise, so that
/// an optimizer walks over ranges; statistics lie apart. Programs compiled with a state (other batch sizes, modes or
/// trainable sets) share its parameters and one arena, so one of them runs at a time.
#[derive(Debug)]
pub struct State {
    pub(crate) memory: Memory,
    parameters: Vec<Parameter>,
    by_name: BTreeMap<String, usize>,
    values: Space,
    gradients: Space,
    statistics: Space,
    pub(crate) arena: Space,
    /// Optimizer slots by name: "momentum_buffer".
    slots: BTreeMap<String, Slot>,
    optimizer_steps: u64,
    pub(crate) seed_and_step: (Seed, u64),
    /// Counts changes of parameters.
    version: u64,
    /// By a program's space: the version that its constants were computed from.
    constants: BTreeMap<u32, u64>,
}

impl State {
    /// Room for the parameters of a graph, zero until they are [initialised](Self::initialise) or written.
    pub fn new(graph: &Graph) -> Self {
        let mut state = Self::planned(graph);
        let [values, statistics] = [false, true].map(|statistics| state.planned_words(statistics));
        state.memory.grow(state.values, values);
        state.memory.grow(state.gradients, values);
        state.memory.grow(state.statistics, statistics);
        state
    }

    /// Where everything would lie, without any memory: for plans alone.
    pub(crate) fn planned(graph: &Graph) -> Self {
        let mut memory = Memory::new();
        let [values, gradients, statistics, arena] = [(); 4].map(|()| memory.add_space(0));
        let mut ends = [0, 0];
        let mut parameters = Vec::new();
        for (name, shape, &spec) in graph.parameters() {
            let is_statistic = spec.role == Role::Statistic;
            let end = &mut ends[usize::from(is_statistic)];
            let space = if is_statistic { statistics } else { values };
            let place = Place { space, offset: *end, len: shape.elements() };
            let parameter = Parameter { name: name.to_owned(), shape: shape.clone(), spec, place };
            *end += parameter.words();
            parameters.push(parameter);
        }
        let by_name = parameters.iter().enumerate().map(|(i, parameter)| (parameter.name.clone(), i)).collect();
        Self {
            memory,
            parameters,
            by_name,
            values,
            gradients,
            statistics,
            arena,
            slots: BTreeMap::new(),
            optimizer_steps: 0,
            seed_and_step: (Seed(0), 0),
            version: 0,
            constants: BTreeMap::new(),
        }
    }

    /// Words of all running statistics, or of everything else.
    pub(crate) fn planned_words(&self, statistics: bool) -> usize {
        let of_kind = self.parameters.iter().filter(|parameter| parameter.is_statistic() == statistics);
        of_kind.map(Parameter::words).sum()
    }

    /// Gives every parameter its starting values, from a stream of its own: adding a layer changes no other.
    pub fn initialise(&mut self, seed: Seed) {
        for index in 0..self.parameters.len() {
            let parameter = self.parameters[index].clone();
            let mut stream = seed.stream(Purpose::Init, [name_hash(&parameter.name), 0, 0]);
            let values = initial_values(&parameter, &mut stream);
            self.place_from_disk(&parameter, parameter.place, &values);
        }
        self.version += 1;
    }

    /// All parameters in the order of their declaration, statistics included.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// A parameter by its name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.by_name.get(name).map(|&index| &self.parameters[index])
    }

    /// Values of a parameter, in memory's order.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        Some(self.memory.get(self.parameter(name)?.place))
    }

    /// Values of a parameter, in memory's order, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        let place = self.parameter(name)?.place;
        self.version += 1;
        Some(self.memory.get_mut(place))
    }

    /// What the last run of a training program found for a parameter; zeros before, nothing for a statistic.
    pub fn gradient(&self, name: &str) -> Option<&[f32]> {
        let parameter = self.parameter(name).filter(|parameter| !parameter.is_statistic())?;
        Some(self.memory.get(self.gradient_place(parameter.place)))
    }

    /// Values of a parameter in the order of files, for [`Parameter::disk_shape`].
    ///
    /// # Errors
    /// When there is no such parameter.
    pub fn read_disk(&self, name: &str) -> Result<Vec<f32>, StateError> {
        let parameter = self.known(name)?;
        Ok(self.place_to_disk(parameter, parameter.place))
    }

    /// Sets a parameter from values in the order of files.
    ///
    /// # Errors
    /// When there is no such parameter, or `shape` is not its [`disk_shape`](Parameter::disk_shape), or the number of
    /// values is another; nothing is changed then.
    pub fn write_disk(&mut self, name: &str, shape: &Shape, values: &[f32]) -> Result<(), StateError> {
        let parameter = self.known(name)?.clone();
        check_shape(&parameter, name, shape, values)?;
        self.place_from_disk(&parameter, parameter.place, values);
        self.version += 1;
        Ok(())
    }

    /// What random nodes draw from in the next runs: dropout masks are a function of seed, step and node.
    pub fn set_step(&mut self, seed: Seed, step: u64) {
        self.seed_and_step = (seed, step);
    }

    /// Bytes of all memory: parameters, gradients, slots, inputs, outputs, arena.
    pub fn bytes(&self) -> usize {
        self.memory.bytes()
    }

    /// Bytes of a program's input, to be written before it runs. They stay until written again.
    ///
    /// # Panics
    /// When the program has no input of this name and type: a mistake of the code that calls; so do the next ones.
    pub fn input_u8_mut(&mut self, program: &Program, name: &str) -> &mut [u8] {
        let (place, bytes) = program.input(name, DType::U8);
        &mut bytemuck::cast_slice_mut(self.memory.get_mut(place))[..bytes]
    }

    /// Integers of a program's input.
    pub fn input_i32_mut(&mut self, program: &Program, name: &str) -> &mut [i32] {
        bytemuck::cast_slice_mut(self.memory.get_mut(program.input(name, DType::I32).0))
    }

    /// Floats of a program's input.
    pub fn input_f32_mut(&mut self, program: &Program, name: &str) -> &mut [f32] {
        self.memory.get_mut(program.input(name, DType::F32).0)
    }

    /// A named output, as the program's last run left it.
    ///
    /// # Panics
    /// When the program has no f32 output of this name.
    pub fn output(&self, program: &Program, name: &str) -> &[f32] {
        self.memory.get(program.output(name))
    }

    /// Gradients lie as the values do.
    pub(crate) fn gradient_place(&self, values: Place) -> Place {
        Place { space: self.gradients, ..values }
    }

    /// The gradients of values at these words.
    pub(crate) fn gradients_of(&self, range: std::ops::Range<usize>) -> Place {
        self.gradient_place(self.value_place(range))
    }

    pub(crate) fn value_place(&self, range: std::ops::Range<usize>) -> Place {
        Place { space: self.values, offset: range.start, len: range.len() }
    }

    /// Optimizer slots by name.
    pub(crate) fn slots(&self) -> &BTreeMap<String, Slot> {
        &self.slots
    }

    /// A slot for every trained value, zero when it is new.
    pub(crate) fn slot(&mut self, name: &str) -> Space {
        if let Some(slot) = self.slots.get(name) {
            return slot.values;
        }
        let values = self.memory.add_space(self.memory.len(self.values));
        self.slots.insert(name.to_owned(), Slot { values, statistics: None });
        values
    }

    /// A slot for every trained value and every running statistic, zero when it is new.
    pub(crate) fn slot_of_all(&mut self, name: &str) -> Slot {
        let values = self.slot(name);
        let known = self.slots.get(name).and_then(|slot| slot.statistics);
        let statistics = known.unwrap_or_else(|| self.memory.add_space(self.memory.len(self.statistics)));
        let slot = Slot { values, statistics: Some(statistics) };
        self.slots.insert(name.to_owned(), slot);
        slot
    }

    /// Forgets what optimizers remember, slots and count of steps: the next step is a first one.
    pub fn forget_optimizer(&mut self) {
        let spaces: Vec<Space> =
            self.slots.values().flat_map(|slot| std::iter::once(slot.values).chain(slot.statistics)).collect();
        for space in spaces {
            let whole = Place { space, offset: 0, len: self.memory.len(space) };
            self.memory.get_mut(whole).fill(0.0);
        }
        self.optimizer_steps = 0;
    }

    /// Where all trained values lie, all gradients, and all running statistics.
    pub(crate) fn whole(&self) -> [Place; 3] {
        [self.values, self.gradients, self.statistics].map(|space| Place {
            space,
            offset: 0,
            len: self.memory.len(space),
        })
    }

    /// Steps that optimizers have made.
    pub fn optimizer_steps(&self) -> u64 {
        self.optimizer_steps
    }

    pub(crate) fn set_optimizer_steps(&mut self, steps: u64) {
        self.optimizer_steps = steps;
    }

    /// Counts a step of the optimizer and gives its number, from 1.
    pub(crate) fn count_step(&mut self) -> u64 {
        self.optimizer_steps += 1;
        self.optimizer_steps
    }

    /// Memory of a program's own.
    pub(crate) fn add_program_space(&mut self, words: usize) -> Space {
        let space = self.memory.add_space(words);
        // Of no version: the constants are still to be computed.
        self.constants.insert(space.0, u64::MAX);
        space
    }

    /// Where a graph's parameter lies, if the state has it in this shape.
    pub(crate) fn place_of(&self, name: &str, shape: &Shape) -> Result<Place, GraphError> {
        let mismatch = |got: String| GraphError::Parameter { name: name.to_owned(), expected: shape.clone(), got };
        let parameter = self.parameter(name).ok_or_else(|| mismatch("nothing of this name".to_owned()))?;
        if parameter.shape == *shape { Ok(parameter.place) } else { Err(mismatch(parameter.shape.to_string())) }
    }

    /// Whether a program's constants are of an older version.
    pub(crate) fn needs_constants(&self, program: Space) -> bool {
        self.constants.get(&program.0) != Some(&self.version)
    }

    pub(crate) fn has_constants(&mut self, program: Space) {
        self.constants.insert(program.0, self.version);
    }

    pub(crate) fn parameters_changed(&mut self) {
        self.version += 1;
    }

    fn known(&self, name: &str) -> Result<&Parameter, StateError> {
        self.parameter(name).ok_or_else(|| StateError::Unknown { what: "parameter", name: name.to_owned() })
    }

    pub(crate) fn place_to_disk(&self, parameter: &Parameter, place: Place) -> Vec<f32> {
        let mut values = vec![0.0; place.len];
        let indices = parameter.spec.layout.disk_indices(&parameter.shape);
        self.memory.get(place).iter().zip(indices).for_each(|(&value, index)| values[index] = value);
        values
    }

    pub(crate) fn place_from_disk(&mut self, parameter: &Parameter, place: Place, values: &[f32]) {
        let indices = parameter.spec.layout.disk_indices(&parameter.shape);
        self.memory.get_mut(place).iter_mut().zip(indices).for_each(|(value, index)| *value = values[index]);
    }
}

fn check_shape(parameter: &Parameter, name: &str, shape: &Shape, values: &[f32]) -> Result<(), StateError> {
    let expected = parameter.disk_shape();
    let mismatch = |got: Shape| StateError::Shape { name: name.to_owned(), got, expected: expected.clone() };
    if *shape != expected {
        return Err(mismatch(shape.clone()));
    }
    if values.len() != expected.elements() {
        return Err(mismatch([values.len()].into()));
    }
    Ok(())
}
