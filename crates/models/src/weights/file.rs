//! A file of weights in memory.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::write::serialize;
use super::{keras_resnet, tensorflow_js};
use crate::WeightsError;

/// Larger files are refused before they are read: ten times the largest network that a computer of today trains.
const LIMIT: u64 = 4 << 30;

/// The content of a file. A TensorFlow.js model, which is a list of files, is converted to `.safetensors`.
///
/// # Errors
/// When it cannot be read, is too large, or is a model that cannot be converted.
pub(super) fn content(path: &Path) -> Result<Vec<u8>, WeightsError> {
    let bytes = read_limited(path)?;
    if tensorflow_js::is_model(&bytes) { converted(&bytes, path) } else { Ok(bytes) }
}

fn converted(json: &[u8], path: &Path) -> Result<Vec<u8>, WeightsError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let tensors = keras_resnet::resnet50(tensorflow_js::read(json, folder)?)?;
    serialize(tensors.iter().map(|(name, array)| (name.as_str(), &array.shape[..], &array.values[..])))
}

fn read_limited(path: &Path) -> Result<Vec<u8>, WeightsError> {
    let bytes = fs::metadata(path)?.len();
    if bytes > LIMIT {
        return Err(WeightsError::TooLarge { bytes, limit: LIMIT });
    }
    let mut content = Vec::new();
    // A file that grows meanwhile is still not read beyond the limit.
    File::open(path)?.take(LIMIT).read_to_end(&mut content)?;
    Ok(content)
}
