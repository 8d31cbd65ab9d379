//! Weights of other libraries into our format.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use avizor_engine::{DType, GraphBuilder, State};
use safetensors::SafeTensors;

use super::file::content;
use super::read::read_weights;
use super::tensorflow_js;
use crate::{ModelError, NetworkOptions, WeightsError, find};

/// The network that a TensorFlow.js model is converted to.
const NETWORK: &str = "resnet50_v1";
/// Its pictures, for a graph that is built and not run.
const SIDE: usize = 224;

/// Weights that were converted.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The network that they are of.
    pub network: &'static str,
    /// How many tensors there are.
    pub tensors: usize,
    /// The content of a `.safetensors`.
    pub content: Vec<u8>,
}

/// Converts a TensorFlow.js layers model of ResNet-50 (`model.json`, its pieces beside it) to `.safetensors` with the names
/// of the network `resnet50_v1`, which are torchvision's. The network has taken the tensors: their shapes are its own.
///
/// # Errors
/// When it is no such model, is damaged, or lacks a piece.
pub fn convert_weights(model: &Path) -> Result<Converted, WeightsError> {
    let mut start = Vec::new();
    File::open(model)?.take(16).read_to_end(&mut start)?;
    if !tensorflow_js::is_model(&start) {
        return Err(WeightsError::TensorFlowJs(
            "it does not begin as a model.json does; .safetensors and .pth files need no conversion".to_owned(),
        ));
    }
    let content = content(model)?;
    let report = read_weights(&content, &mut state(classes(&content)?)?, None)?;
    Ok(Converted { network: NETWORK, tensors: report.loaded, content })
}

fn classes(bytes: &[u8]) -> Result<usize, WeightsError> {
    let damaged = |error: safetensors::SafeTensorError| WeightsError::Damaged(error.to_string());
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let bias = file.tensor("fc.bias").map_err(damaged)?;
    Ok(bias.shape().iter().product())
}

fn state(classes: usize) -> Result<State, WeightsError> {
    let mut graph = GraphBuilder::new();
    let image = graph.input("image", DType::F32, [1, SIDE, SIDE, 3]);
    let built = find(NETWORK).and_then(|network| network.build(&mut graph, image, &NetworkOptions::new(classes)));
    let graph = built.and_then(|_| graph.finish().map_err(ModelError::from));
    Ok(State::new(&graph.map_err(|error| WeightsError::TensorFlowJs(error.to_string()))?))
}
