//! A state as named arrays, and back: all that a run needs to go on as if it had never stopped.

use std::collections::{BTreeMap, BTreeSet};

use avizor_kernels::Place;

use crate::{Parameter, Shape, State, StateError};

/// An array with a name, in the order of files.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArray {
    /// A parameter's name, or `optimizer.` and what the optimizer keeps.
    pub name: String,
    /// Sizes of the axes.
    pub shape: Shape,
    /// All elements, last axis fastest.
    pub values: Vec<f32>,
}

/// Names of what optimizers keep begin so; a slot's go on with its name, a slash and the parameter's name.
const OPTIMIZER: &str = "optimizer.";
const STEPS: &str = "optimizer.steps";
/// Counts are written as two digits to this base: each is exact in f32.
const DIGIT: u64 = 1 << 24;

impl State {
    /// Parameters, statistics, optimizer slots and the count of steps. [`import`](Self::import) gives back the same
    /// bits.
    pub fn export(&self) -> Vec<NamedArray> {
        let array = |name: String, parameter: &Parameter, place: Place| NamedArray {
            name,
            shape: parameter.disk_shape(),
            values: self.place_to_disk(parameter, place),
        };
        let mut arrays: Vec<NamedArray> =
            self.parameters().iter().map(|p| array(p.name.clone(), p, p.place())).collect();
        for (name, slot) in self.slots() {
            let places = self.parameters().iter().filter_map(|p| Some((p, slot.place(p)?)));
            arrays.extend(places.map(|(p, place)| array(slot_name(name, &p.name), p, place)));
        }
        let steps = self.optimizer_steps();
        let digits = vec![(steps % DIGIT) as f32, (steps / DIGIT % DIGIT) as f32];
        arrays.push(NamedArray { name: STEPS.to_owned(), shape: [2].into(), values: digits });
        arrays
    }

    /// Sets everything that [`export`](Self::export) gave.
    ///
    /// # Errors
    /// When an array is missing, unknown or of another shape; then nothing has been changed.
    pub fn import(&mut self, arrays: &[NamedArray]) -> Result<(), StateError> {
        let mut slots: BTreeMap<&str, bool> = BTreeMap::new();
        for array in arrays {
            self.check_array(array)?;
            if let Some((slot, parameter)) = slot_of(&array.name) {
                let is_statistic = self.parameter(parameter).is_some_and(Parameter::is_statistic);
                *slots.entry(slot).or_default() |= is_statistic;
            }
        }
        let there: BTreeSet<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
        for parameter in self.parameters() {
            let has = |&(_, &of_all): &(&&str, &bool)| of_all || !parameter.is_statistic();
            let in_slots = slots.iter().filter(has).map(|(slot, _)| slot_name(slot, &parameter.name));
            let mut names = std::iter::once(parameter.name.clone()).chain(in_slots);
            if let Some(name) = names.find(|name| !there.contains(name.as_str())) {
                return Err(missing(&name));
            }
        }
        let steps = arrays.iter().find(|array| array.name == STEPS).ok_or_else(|| missing(STEPS))?;
        self.set_optimizer_steps(steps.values[0] as u64 + steps.values[1] as u64 * DIGIT);
        for (slot, of_all) in slots {
            if of_all {
                self.slot_of_all(slot);
            } else {
                self.slot(slot);
            }
        }
        for array in arrays.iter().filter(|array| array.name != STEPS) {
            let (slot, name) = match slot_of(&array.name) {
                Some((slot, name)) => (self.slots().get(slot).copied(), name),
                None => (None, array.name.as_str()),
            };
            let Some(parameter) = self.parameter(name).cloned() else { continue };
            let place = match slot {
                Some(slot) => slot.place(&parameter),
                None => Some(parameter.place()),
            };
            let Some(place) = place else { continue };
            self.place_from_disk(&parameter, place, &array.values);
        }
        self.parameters_changed();
        Ok(())
    }

    fn check_array(&self, array: &NamedArray) -> Result<(), StateError> {
        let expected = if array.name == STEPS {
            [2].into()
        } else {
            let name = slot_of(&array.name).map_or(array.name.as_str(), |(_, name)| name);
            let unknown = || StateError::Unknown { what: "parameter", name: array.name.clone() };
            self.parameter(name).ok_or_else(unknown)?.disk_shape()
        };
        if array.shape != expected || array.values.len() != expected.elements() {
            return Err(StateError::Shape { name: array.name.clone(), got: array.shape.clone(), expected });
        }
        Ok(())
    }
}

fn slot_name(slot: &str, parameter: &str) -> String {
    format!("{OPTIMIZER}{slot}/{parameter}")
}

fn slot_of(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(OPTIMIZER)?.split_once('/')
}

fn missing(name: &str) -> StateError {
    StateError::Missing { name: name.to_owned() }
}
