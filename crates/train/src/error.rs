//! Why there is no run.

use std::path::PathBuf;

use avizor_data::index::IndexError;
use avizor_data::loader::LoadError;
use avizor_data::metadata::MetadataError;
use avizor_data::split::SplitError;
use avizor_engine::{GraphError, StateError};
use avizor_models::{ModelError, WeightsError};
use avizor_predict::PredictError;
use avizor_store::StoreError;

use crate::recipe::RecipeError;

/// Why training or evaluation failed. The text names the thing; [`help`](Self::help) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// An option whose value does not fit these data or this network.
    #[error("{option}: {problem}")]
    Option {
        /// `section.option`.
        option: &'static str,
        /// What is wrong.
        problem: String,
        /// What to do.
        help: String,
    },
    /// Where the pictures are and what they show.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// What is wrong with the pictures as a whole.
    #[error("{problem}")]
    Data {
        /// What is wrong.
        problem: String,
        /// What to do.
        help: String,
    },
    /// Columns of a table that cannot become numbers.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Samples that cannot be shared out.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// A picture that cannot be read any more.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] ModelError),
    /// The network cannot be compiled.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Parameters that do not fit.
    #[error(transparent)]
    State(#[from] StateError),
    /// The weights to start from.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: WeightsError,
    },
    /// The model that was kept.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// A file of the run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A checkpoint that cannot be written or read.
    #[error("checkpoint {}: {problem}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A loss that is no number: training ran away.
    #[error("the loss became {loss} in epoch {epoch}, step {step}, at a learning rate of {lr}")]
    Diverged {
        /// NaN or infinite.
        loss: f32,
        /// From 1.
        epoch: usize,
        /// Within the epoch, from 1.
        step: usize,
        /// At that step.
        lr: f64,
    },
    /// A run that cannot go on.
    #[error("{} {problem}", run.display())]
    Resume {
        /// The run.
        run: PathBuf,
        /// Why not.
        problem: String,
    },
}

impl TrainError {
    /// What to do about it, where there is more to say than the text does.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Recipe(error) => error.help(),
            Self::Option { help, .. } | Self::Data { help, .. } => Some(help.clone()),
            Self::Index(error) => Some(error.help()),
            Self::Metadata(error) => Some(error.help().to_owned()),
            Self::Split(error) => Some(error.help().to_string()),
            Self::Load(error) => Some(error.help().to_owned()),
            Self::Network(ModelError::TooSmall { .. }) => {
                Some("set a larger transforms.size, or take a ResNet with model.stem = \"small\"".to_owned())
            }
            Self::Network(ModelError::NoSmallStem { .. }) => {
                Some("set model.stem = \"imagenet\", or take another network: `avizor models`".to_owned())
            }
            Self::Weights { .. } => Some("give another file as model.weights, or none".to_owned()),
            Self::Store(error) => Some(error.help().to_owned()),
            Self::Predict(error) => error.help().map(str::to_owned),
            Self::Checkpoint { .. } => {
                Some("free space or mend the folder; the previous checkpoint is untouched: `avizor resume`".to_owned())
            }
            Self::Diverged { .. } => Some(
                "lower optimizer.lr (a tenth is a good next try); the last checkpoint holds the state before"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether the command or recipe is wrong (exit code 2) rather than the data or the run (1).
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Recipe(_)
                | Self::Option { .. }
                | Self::Network(_)
                | Self::Index(
                    IndexError::UnknownClass { .. } | IndexError::UnknownColumn { .. } | IndexError::Fraction { .. }
                )
        )
    }
}
