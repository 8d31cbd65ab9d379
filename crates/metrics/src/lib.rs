//! Numbers about predictions: metrics and intervals from labels and scores.
//!
//! [`evaluate`] gives everything at once; [`Confusion`], [`log_loss`], [`top_k_accuracy`] and [`wilson`] its parts;
//! [`PairedAccuracy`] compares two predictions of the same samples; [`Metric`] names a number by which checkpoints are ranked. Names and conventions are scikit-learn's with `labels=`
//! the classes that occur in truth or prediction and `zero_division=0`. Knows nothing of files, pictures or networks.
//!
//! ```
//! use avizor_base::Seed;
//! use avizor_metrics::{Options, Predictions, evaluate};
//!
//! let predictions = Predictions {
//!     truth: &[0, 0, 1, 1],
//!     prediction: &[0, 1, 1, 1],
//!     probabilities: &[0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.3, 0.7],
//!     classes: 2,
//!     groups: None,
//! };
//! let evaluation = evaluate(&predictions, Seed(42), Options::default())?;
//! assert_eq!(evaluation.accuracy.value, 0.75);
//! assert!(evaluation.accuracy.interval.is_some_and(|interval| interval.contains(0.75)));
//! # Ok::<(), avizor_metrics::LabelError>(())
//! ```

mod bootstrap;
mod clusters;
mod confusion;
mod error;
mod estimator;
mod evaluate;
mod evaluation;
mod interval;
mod metric;
mod normal;
mod paired;
mod probability;
mod summary;
mod tally;

pub use confusion::{Cell, ClassCounts, Confusion};
pub use error::LabelError;
pub use evaluate::{Predictions, evaluate};
pub use evaluation::{ClassEvaluation, Evaluation, Options, ScoreEstimates};
pub use interval::{Estimate, Interval, Level, Method, wilson};
pub use metric::{Better, Entry, METRICS, Metric, UnknownMetric};
pub use normal::normal_quantile;
pub use paired::PairedAccuracy;
pub use probability::{log_loss, top_k_accuracy};
pub use summary::Summary;
pub use tally::Scores;
