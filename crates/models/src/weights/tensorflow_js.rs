//! Layers models of TensorFlow.js: `model.json`, which lists tensors by name and shape, and the pieces beside it that hold
//! their numbers.
//!
//! Source: `tfjs-core/src/io/types.ts` (`WeightsManifestConfig`). The tensors of a group follow each other in its pieces,
//! which are joined in the order of their list; where one piece ends has no meaning.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

use safetensors::Dtype;
use serde::Deserialize;

use super::floats::decode;
use crate::WeightsError;

/// A longer `model.json` is refused: that of a network of 300 tensors has a tenth of a megabyte.
const MOST_BYTES: usize = 16 << 20;
/// Tensors that take more together are refused.
const MOST_TENSOR_BYTES: u64 = 4 << 30;

/// A tensor as Keras orders it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    /// As many as the shape says.
    pub(super) values: Vec<f32>,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "weightsManifest")]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    paths: Vec<String>,
    weights: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    shape: Vec<u64>,
    dtype: String,
    #[serde(default)]
    quantization: Option<serde::de::IgnoredAny>,
}

/// Whether a file is JSON by how it begins. A `.safetensors` may begin with a brace too: as the length of its header, whose
/// eight bytes are never all text.
pub(super) fn is_model(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"{") && !bytes.iter().take(8).any(|&byte| byte == 0)
}

/// The tensors of a model by name. `json` is the content of `model.json`, `folder` where it lies.
///
/// # Errors
/// When it is damaged, a piece is missing, or numbers are of other types than float32.
pub(super) fn read(json: &[u8], folder: &Path) -> Result<BTreeMap<String, Array>, WeightsError> {
    if json.len() > MOST_BYTES {
        return Err(wrong(format!("its model.json is longer than {MOST_BYTES} bytes")));
    }
    let model: Model = serde_json::from_slice(json).map_err(|error| wrong(format!("model.json: {error}")))?;
    // All is counted before a piece is opened.
    let sizes = model.groups.iter().map(Group::bytes).collect::<Result<Vec<u64>, _>>()?;
    let bytes = sizes.iter().try_fold(0u64, |sum, bytes| sum.checked_add(*bytes)).unwrap_or(u64::MAX);
    if bytes > MOST_TENSOR_BYTES {
        return Err(WeightsError::TooLarge { bytes, limit: MOST_TENSOR_BYTES });
    }
    let mut arrays = BTreeMap::new();
    for (group, bytes) in model.groups.into_iter().zip(sizes) {
        let joined = joined(&group.paths, folder, bytes)?;
        let mut rest = &joined[..];
        for entry in group.weights {
            let len = usize::try_from(entry.bytes()?).unwrap_or(usize::MAX);
            let (own, behind) = rest.split_at_checked(len).ok_or_else(|| short(&entry.name))?;
            rest = behind;
            let shape: Option<Vec<usize>> = entry.shape.iter().map(|&size| size.try_into().ok()).collect();
            let (shape, values) = shape.zip(decode(Dtype::F32, own)).ok_or_else(|| short(&entry.name))?;
            if arrays.insert(entry.name.clone(), Array { shape, values }).is_some() {
                return Err(wrong(format!("it names {:?} twice", entry.name)));
            }
        }
    }
    Ok(arrays)
}

impl Group {
    /// Of all its tensors together.
    fn bytes(&self) -> Result<u64, WeightsError> {
        let mut sum = 0u64;
        for entry in &self.weights {
            sum = sum.checked_add(entry.bytes()?).ok_or_else(|| entry.overflows())?;
        }
        Ok(sum)
    }
}

impl Entry {
    fn bytes(&self) -> Result<u64, WeightsError> {
        let dtype = if self.quantization.is_some() { "quantized numbers" } else { &self.dtype };
        if dtype != "float32" {
            return Err(WeightsError::DType { name: self.name.clone(), dtype: dtype.to_owned() });
        }
        if self.shape.contains(&0) {
            return Err(wrong(format!("tensor {:?} holds nothing", self.name)));
        }
        let bytes = self.shape.iter().try_fold(4u64, |product, &size| product.checked_mul(size));
        bytes.ok_or_else(|| self.overflows())
    }

    fn overflows(&self) -> WeightsError {
        wrong(format!("the sizes of tensor {:?} are too large to be multiplied", self.name))
    }
}

/// The pieces of a group one after the other: `expected` bytes, no more and no fewer.
fn joined(names: &[String], folder: &Path, expected: u64) -> Result<Vec<u8>, WeightsError> {
    let mut bytes = Vec::new();
    for name in names {
        if !is_plain(name) {
            return Err(wrong(format!("its piece {name:?} is no plain file name")));
        }
        let piece = File::open(folder.join(name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => wrong(format!("its piece {name} is missing beside it")),
            _ => wrong(format!("its piece {name}: {error}")),
        })?;
        // One byte more than there may be tells of all that is too much.
        let room = (expected - bytes.len() as u64) + 1;
        piece.take(room).read_to_end(&mut bytes).map_err(|error| wrong(format!("its piece {name}: {error}")))?;
        if bytes.len() as u64 > expected {
            return Err(wrong(format!(
                "its pieces hold more than the {expected} bytes of its tensors, from {name} on"
            )));
        }
    }
    if (bytes.len() as u64) < expected {
        return Err(wrong(format!("its pieces hold {} of the {expected} bytes of its tensors", bytes.len())));
    }
    Ok(bytes)
}

/// Whether a name is that of a file in the same folder, on every system.
fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let one = matches!((components.next(), components.next()), (Some(Component::Normal(only)), None) if only == name);
    one && !name.contains(['/', '\\', ':', '\0'])
}

fn short(name: &str) -> WeightsError {
    wrong(format!("the numbers of tensor {name:?} are not all there"))
}

fn wrong(what: String) -> WeightsError {
    WeightsError::TensorFlowJs(what)
}

#[cfg(test)]
mod tests;
