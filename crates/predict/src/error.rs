//! Why there is no prediction.

use std::path::PathBuf;

use avizor_base::JpegDecoding;
use avizor_engine::{GraphError, StateError};
use avizor_models::{ModelError, WeightsError};

/// Why a model cannot be used. What is wrong with a single picture is part of its [`crate::Prediction`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// Neither a run nor a model folder.
    #[error("{} is no model: it has no model.json, nor a folder `model` with one", path.display())]
    NoModel {
        /// What was asked for.
        path: PathBuf,
    },
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system says.
        source: std::io::Error,
    },
    /// `model.json` is not what it should be.
    #[error("{}: {problem}", path.display())]
    Card {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The model's JPEGs are decoded in a way that this program does not have.
    #[error(
        "{}: JPEGs are to be decoded as \"{}\", by libjpeg-turbo, which this program was built without",
        path.display(),
        jpeg.name()
    )]
    WithoutTurbojpeg {
        /// The card.
        path: PathBuf,
        /// The way it asks for.
        jpeg: JpegDecoding,
    },
    /// `model.safetensors` is not what it should be.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: WeightsError,
    },
    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] ModelError),
    /// The network cannot be compiled.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The network's parameters are not those that were announced.
    #[error(transparent)]
    State(#[from] StateError),
}

impl PredictError {
    /// What to do about it, where there is more to say than the text does.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NoModel { .. } => Some("give the folder of a run, such as runs/2026-11-22-photos-01"),
            Self::WithoutTurbojpeg { .. } => {
                Some("build avizor with `--features turbojpeg`, or train with transforms.jpeg = \"exact\"")
            }
            Self::Card { .. } | Self::Weights { .. } => {
                Some("the model folder is damaged or was made by another version; train again or copy it again")
            }
            _ => None,
        }
    }
}
