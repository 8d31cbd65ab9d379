//! Several runs on one question: variants of a recipe, each with some seeds, trained one after the other and compared.
//!
//! [`train_variants`] trains what is missing in a folder, so that it goes on where it was stopped; [`compare`] reads what
//! runs have stored and nothing else. Knows nothing of how training works inside.

mod compare;
mod error;
mod variants;

pub use compare::{Compared, compare};
pub use error::ExperimentError;
pub use variants::{Plan, Progress, train_variants};
