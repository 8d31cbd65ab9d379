//! From samples to batches: pictures prepared once, augmented on threads, in an order that a seed decides.
//!
//! What comes out depends on the seed, the epoch and the visits, never on the number of threads.

mod batches;
mod order;
mod prepared;
#[cfg(test)]
mod tests;
mod worker;

pub use batches::{Batch, Loader, LoaderOptions};
pub use order::{Visit, filled_order, is_imbalanced, plain_order, shuffled_order, weighted_order};
pub use prepared::Prepared;
pub(crate) use prepared::{Bench, Learnt};

use crate::picture_file::Unreadable;

/// Why a batch cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file that could be read when the data were scanned.
    #[error("{name} was fine when the data were read and now {reason}")]
    Picture {
        /// Name of the sample.
        name: String,
        /// What is wrong with it.
        reason: Unreadable,
    },
    /// No thread could be started.
    #[error("no thread for loading pictures could be started: {0}")]
    Thread(std::io::Error),
    /// All threads ended before the work did: a bug of ours.
    #[error("the threads that load pictures ended too early")]
    Stopped,
}

impl LoadError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Picture { .. } => {
                "put the file back and resume the run; the data folder must not change while a run trains"
            }
            Self::Thread(_) => "use fewer `--threads`",
            Self::Stopped => "please report it",
        }
    }
}
