//! Weights from a state into a file.

use std::collections::HashMap;
use std::path::Path;

use avizor_base::atomic_file;
use avizor_engine::State;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::WeightsError;

/// Writes all parameters of a state, running statistics included: `load_state_dict` of the same network in PyTorch
/// takes the file. It appears whole or not at all.
///
/// # Errors
/// What the file system says.
pub fn save_safetensors(path: &Path, state: &State) -> Result<(), WeightsError> {
    Ok(atomic_file::write(path, &to_safetensors(state)?)?)
}

/// The content of such a file. The same state gives the same bytes.
///
/// # Errors
/// When a tensor cannot be written, which no state of ours brings.
pub fn to_safetensors(state: &State) -> Result<Vec<u8>, WeightsError> {
    let mut tensors = Vec::new();
    for parameter in state.parameters() {
        tensors.push((parameter.name.as_str(), parameter.disk_shape(), state.read_disk(&parameter.name)?));
    }
    serialize(tensors.iter().map(|(name, shape, values)| (*name, &shape[..], &values[..])))
}

/// A `.safetensors` of tensors of f32: name, shape, numbers. The same tensors, in any order, give the same bytes.
///
/// # Errors
/// When a shape does not fit its numbers.
pub(super) fn serialize<'t>(
    tensors: impl Iterator<Item = (&'t str, &'t [usize], &'t [f32])>,
) -> Result<Vec<u8>, WeightsError> {
    let tensors: Vec<_> = tensors
        .map(|(name, shape, values)| {
            (name, shape.to_vec(), values.iter().flat_map(|value| value.to_le_bytes()).collect())
        })
        .collect::<Vec<(&str, Vec<usize>, Vec<u8>)>>();
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect();
    // One entry only: several would be written in the order of a hash table.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    views
        .and_then(|views| safetensors::serialize(views, Some(metadata)))
        .map_err(|error: safetensors::SafeTensorError| WeightsError::Damaged(error.to_string()))
}
