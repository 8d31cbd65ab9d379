//! Weights from a file into a state.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use avizor_engine::{Shape, State};

use super::content::{Stored, tensors};
use super::file::content;
use super::names::translated;
use super::positions::Resampled;
use crate::WeightsError;

/// PyTorch's count of batches stands in every file of a batch norm; nothing here needs it.
const IGNORED: &str = ".num_batches_tracked";

/// The tensors of a file.
type Tensors<'b> = BTreeMap<String, Stored<'b>>;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadReport {
    /// Parameters that have the file's values now.
    pub loaded: usize,
    /// The head, or its last layer, where the file's did not fit.
    pub replaced_head: Option<ReplacedHead>,
    /// Positions of a transformer, where the file's are those of another size of pictures.
    pub resampled: Option<Resampled>,
}

/// A head that kept its starting values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedHead {
    /// Name of the layer, or what the names of its layers begin with.
    pub head: String,
    /// What the file has in its place.
    pub in_file: HeadInFile,
    /// Outputs that it has in the network.
    pub in_network: usize,
}

/// What a file has in the place of a head that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadInFile {
    /// Nothing of its name.
    Nothing,
    /// The same layer with so many outputs.
    Outputs(usize),
    /// Other layers.
    OtherLayers,
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} parameters loaded", self.loaded)?;
        if let Some(resampled) = &self.resampled {
            write!(f, "; {resampled}")?;
        }
        let Some(ReplacedHead { head, in_file, in_network }) = &self.replaced_head else { return Ok(()) };
        write!(f, "; {head} starts anew: ")?;
        match in_file {
            HeadInFile::Outputs(outputs) => write!(f, "it has {outputs} outputs in the file, {in_network} here"),
            HeadInFile::OtherLayers => write!(f, "it has other layers in the file"),
            HeadInFile::Nothing => write!(f, "the file has none"),
        }
    }
}

/// Reads a file of weights into a state: `.safetensors`; what `torch.save` wrote of a state dict, alone or in a
/// checkpoint, of whose program nothing is run; the `model.json` of TensorFlow.js's ResNet-50, its pieces beside it.
///
/// Names must be the state's or those of a library that is known, shapes its [disk
/// shapes](avizor_engine::Parameter::disk_shape); numbers may be F32, F16, BF16 or F64. With `replaceable` the head of
/// this name keeps its values when the file's has other layers or is missing, and its last layer does when that has another
/// number of outputs; positions on a [grid](avizor_engine::DiskLayout::Grid) are resampled from a square one of another size.
/// The report says both.
///
/// # Errors
/// When the file cannot be read, is damaged, or belongs to another network; the state is then as before.
pub fn load_weights(path: &Path, state: &mut State, replaceable: Option<&str>) -> Result<LoadReport, WeightsError> {
    read_weights(&content(path)?, state, replaceable)
}

/// As [`load_weights`], from the content of a file.
///
/// # Errors
/// When it is damaged or belongs to another network; the state is then as before.
pub fn read_weights(bytes: &[u8], state: &mut State, replaceable: Option<&str>) -> Result<LoadReport, WeightsError> {
    let file = translated(tensors(bytes)?, state);
    let replaced_head = match replaceable {
        Some(head) => replaced(&file, state, head),
        None => None,
    };
    let is_replaced = |name: &str| replaced_head.as_ref().is_some_and(|replaced| belongs(name, &replaced.head));
    same_names(&file, state, is_replaced)?;

    // Everything is decoded before anything is written.
    let (mut new, mut resampled) = (Vec::new(), None);
    for parameter in state.parameters() {
        if is_replaced(&parameter.name) {
            continue;
        }
        let (tensor, shape) = (&file[&parameter.name], parameter.disk_shape());
        let values = match Resampled::of(parameter, &tensor.shape) {
            None => floats(&parameter.name, tensor, &shape)?,
            Some(of) => {
                let values = of.apply(&floats(&parameter.name, tensor, &Shape::from(&tensor.shape[..]))?);
                resampled = Some(of);
                values
            }
        };
        new.push((parameter.name.clone(), shape, values));
    }
    for (name, shape, values) in &new {
        state.write_disk(name, shape, values)?;
    }
    Ok(LoadReport { loaded: new.len(), replaced_head, resampled })
}

fn belongs(parameter: &str, layer: &str) -> bool {
    parameter.strip_prefix(layer).is_some_and(|rest| rest.starts_with('.'))
}

/// The head, if the file's is another one; or its last layer, if that alone is.
fn replaced(file: &Tensors<'_>, state: &State, head: &str) -> Option<ReplacedHead> {
    let weights = state.parameters().iter().filter(|parameter| belongs(&parameter.name, head));
    let layers: Vec<(&str, Shape)> = weights
        .filter_map(|parameter| Some((parameter.name.strip_suffix(".weight")?, parameter.disk_shape())))
        .collect();
    let ((last, shape), hidden) = layers.split_last()?;
    let (&in_network, inputs) = shape.split_first()?;
    let new = |head: &str, in_file| Some(ReplacedHead { head: head.to_owned(), in_file, in_network });
    let in_file = |layer: &str| file.get(&format!("{layer}.weight")).map(|tensor| &tensor.shape[..]);

    let count = file.keys().filter(|name| belongs(name, head) && name.ends_with(".weight")).count();
    if count == 0 {
        return new(head, HeadInFile::Nothing);
    }
    let same_below = count == layers.len() && hidden.iter().all(|(layer, shape)| in_file(layer) == Some(shape));
    match in_file(last).and_then(<[usize]>::split_first).filter(|_| same_below) {
        None => new(head, HeadInFile::OtherLayers),
        Some((&outputs, have)) if have == inputs && outputs != in_network => new(last, HeadInFile::Outputs(outputs)),
        // The same size, or one that does not follow the features: that is told as any other shape.
        Some(_) => None,
    }
}

fn same_names(file: &Tensors<'_>, state: &State, is_replaced: impl Fn(&str) -> bool) -> Result<(), WeightsError> {
    let relevant = |name: &&str| !is_replaced(name);
    let have: BTreeSet<&str> = file.keys().map(String::as_str).filter(|name| !name.ends_with(IGNORED)).collect();
    let want: BTreeSet<&str> = state.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    let list = |names: Vec<&&str>| names.into_iter().copied().filter(relevant).map(str::to_owned).collect();
    let missing: Vec<String> = list(want.difference(&have).collect());
    let unexpected: Vec<String> = list(have.difference(&want).collect());
    if missing.is_empty() && unexpected.is_empty() {
        return Ok(());
    }
    Err(WeightsError::Names { missing, unexpected })
}

fn floats(name: &str, tensor: &Stored<'_>, expected: &Shape) -> Result<Vec<f32>, WeightsError> {
    let name = || name.to_owned();
    let shape = Shape::from(&tensor.shape[..]);
    if shape != *expected {
        return Err(WeightsError::Shape { name: name(), got: shape, expected: expected.clone() });
    }
    let values = tensor.values(&name())?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err(WeightsError::NotFinite { name: name() });
    }
    Ok(values)
}
