//! What can go wrong with a network or its weights.

use avizor_engine::{GraphError, Shape, StateError};

/// Why a network cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No row of the registry has this name.
    #[error("there is no network {name:?}; there are {available}")]
    UnknownNetwork {
        /// What was asked for.
        name: String,
        /// The names that there are.
        available: String,
    },
    /// A picture that is used up before the last pooling.
    #[error("{network} needs pictures of at least {least}×{least} pixels, these are {height}×{width}")]
    TooSmall {
        /// The network.
        network: &'static str,
        /// The smallest side that works.
        least: usize,
        /// Of the pictures.
        height: usize,
        /// Of the pictures.
        width: usize,
    },
    /// A picture that is not whole patches.
    #[error(
        "{network} cuts pictures into patches of {patch}×{patch} pixels: both sides must be multiples of {patch}, these are {height}×{width}"
    )]
    Patches {
        /// The network.
        network: &'static str,
        /// Side of a patch.
        patch: usize,
        /// Of the pictures.
        height: usize,
        /// Of the pictures.
        width: usize,
    },
    /// The option makes no sense here.
    #[error("{network} has no small stem: the option stem must be imagenet")]
    NoSmallStem {
        /// The network.
        network: &'static str,
    },
    /// Layers of a head for a network that has none of its own kind.
    #[error("{network} has layers of its own: list them in {option}, and leave model.head empty")]
    OwnLayers {
        /// The network.
        network: &'static str,
        /// Where its layers are listed.
        option: &'static str,
    },
    /// A head that no memory is taken for.
    #[error("the layers of model.head would have {weights} weights, more than {most}: make them smaller")]
    HeadTooLarge {
        /// What they would have.
        weights: usize,
        /// What they may have.
        most: usize,
    },
    /// A custom network without layers.
    #[error("custom has no layers: list them in model.layers")]
    NoLayers,
    /// A listed layer that does not fit what comes before it.
    #[error("layer {place}, {op}: {problem}")]
    Layer {
        /// In the list, from 1; in a block "4.1".
        place: String,
        /// As lists call it.
        op: &'static str,
        /// What is wrong, and what to do where that can be said.
        problem: String,
    },
    /// A layer that does not fit.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// Why weights cannot be read or written. Who opened the file adds its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file system refuses.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// Larger than any network of ours.
    #[error("the weights take {bytes} bytes, more than {limit} are not read")]
    TooLarge {
        /// Size of the file.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// Not a file of weights, or a damaged one.
    #[error("the weights are damaged, or no .safetensors or .pth file: {0}")]
    Damaged(String),
    /// A TensorFlow.js model that is damaged, not whole, or of another network than the one that is known.
    #[error("no TensorFlow.js model that can be read: {0}")]
    TensorFlowJs(String),
    /// A program that names what has no part in a file of tensors. It was not run.
    #[error(
        "the file holds {object}, and only tensors are read from it; in Python: torch.save(model.state_dict(), \"weights.pth\")"
    )]
    Foreign {
        /// What it names.
        object: String,
    },
    /// A tensor that is not made of floats.
    #[error("tensor {name:?} holds {dtype}, a weight must be F32, F16, BF16 or F64")]
    DType {
        /// The tensor.
        name: String,
        /// As the file calls it.
        dtype: String,
    },
    /// A tensor of another shape.
    #[error("tensor {name:?} is {got} in the file and {expected} in the network")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        got: Shape,
        /// Its shape in the network, in the file's order.
        expected: Shape,
    },
    /// A weight that is NaN or infinite.
    #[error("tensor {name:?} holds a number that is not finite")]
    NotFinite {
        /// The tensor.
        name: String,
    },
    /// Weights of another network.
    #[error("the weights are those of another network: {}", differences(missing, unexpected))]
    Names {
        /// Parameters that the file lacks.
        missing: Vec<String>,
        /// Tensors that the network lacks.
        unexpected: Vec<String>,
    },
    /// The parameters refuse the values.
    #[error(transparent)]
    State(#[from] StateError),
}

fn differences(missing: &[String], unexpected: &[String]) -> String {
    let list = |what: &str, names: &[String]| match names.len() {
        0 => None,
        n @ 1..=5 => Some(format!("{n} {what} ({})", names.join(", "))),
        n => Some(format!("{n} {what} ({}, …)", names[..5].join(", "))),
    };
    let parts = [list("missing", missing), list("unexpected", unexpected)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
