//! From a recipe to a trained, evaluated run.
//!
//! A [`Recipe`] says which pictures, which network and how. [`train`] follows it in a new run folder, [`resume`] goes
//! on where an interruption left it, [`evaluate`] measures what was kept on other pictures. Knows nothing of
//! terminals, HTML or trackers: what happens is told as events to a listener.

mod audited;
mod budget;
mod checkpoint;
mod environment;
mod error;
mod evaluate;
mod features;
mod first_weights;
mod fit;
mod gallery;
mod learning;
mod loss;
mod metadata;
mod mixing;
mod network;
mod phase;
mod preview;
mod rate_test;
pub mod recipe;
mod retest;
mod run;
mod schedule;
mod setup;
mod source;

pub use audited::{Audited, audit};
pub use budget::{Freedom, within};
pub use environment::{Environment, Reading};
pub use error::TrainError;
pub use evaluate::Evaluated;
pub use preview::{Preview, PreviewedPicture, preview};
pub use rate_test::{RateTest, test_rates};
pub use recipe::{OptionDoc, Recipe, RecipeError, Variant};
pub use retest::{Tested, evaluate};
pub use run::{Outcome, resume, train, train_named};
pub use source::{Source, decisions_file};
