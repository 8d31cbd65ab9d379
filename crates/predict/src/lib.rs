//! A model folder and pictures to predictions.
//!
//! [`ModelCard`] is `model.json`: what a network needs to be used again. [`Scorer`] runs a network over batches of
//! prepared pictures, for training's evaluation as for prediction. [`Model`] is a folder opened: card, weights and
//! the way from a file to the likeliest classes. Knows nothing of training.

mod card;
mod error;
mod model;
mod scorer;

pub use card::{MetadataCard, ModelCard, NetworkCard, Provenance};
pub use error::PredictError;
pub use model::{Guess, Model, Prediction};
pub use scorer::{Scorer, Scores};
