//! Why there is no comparison.

use avizor_metrics::LabelError;
use avizor_store::StoreError;
use avizor_train::{RecipeError, TrainError};

/// Why variants could not be trained or compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A variant that cannot be trained.
    #[error("variant {variant}: {source}")]
    Variant {
        /// Its name.
        variant: String,
        /// Why.
        source: Box<TrainError>,
    },
    /// The recipe of a run.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A file of a run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Predictions that cannot be evaluated.
    #[error("variant {variant}: its predictions cannot be evaluated: {source}")]
    Predictions {
        /// Its name.
        variant: String,
        /// Why.
        source: LabelError,
    },
}

impl ExperimentError {
    /// Whether the command or recipe is at fault, and not the data or the run.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Variant { source, .. } => source.is_usage(),
            Self::Recipe(_) => true,
            Self::Store(_) | Self::Predictions { .. } => false,
        }
    }

    /// What to do, where something better than the text itself can be said.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Variant { source, .. } => source.help(),
            Self::Recipe(error) => error.help(),
            Self::Store(error) => Some(error.help().to_owned()),
            Self::Predictions { .. } => None,
        }
    }
}
