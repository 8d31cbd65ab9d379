//! Run folders: what is in them, how it is written and read.
//!
//! A run is a folder of plain files (`docs/formats.md` describes each). [`RunFolder`] knows their places; every file has
//! a type here, a writer that leaves the old content or the new one and never a part, and a reader whose error names
//! the file. Knows nothing of how a run is made, nor of networks, pictures and terminals.
//!
//! ```
//! use avizor_store::{RunFolder, StoreError};
//!
//! let parent = std::env::temp_dir().join("avizor-store-example");
//! let run = RunFolder::create(&parent, "My photos", "2026-11-22")?;
//! assert!(run.path().ends_with("2026-11-22-my-photos-01"));
//! run.write_recipe("[data]\npath = \"photos\"\n")?;
//! assert_eq!(run.read_recipe()?, "[data]\npath = \"photos\"\n");
//! # std::fs::remove_dir_all(&parent).ok();
//! # Ok::<(), StoreError>(())
//! ```

mod audit;
mod balance;
mod comparison;
mod error;
mod evaluation;
mod events;
mod file;
mod folder;
mod format;
mod gallery;
mod history;
mod matrix;
mod measure;
mod metrics;
mod named;
mod predictions;
mod readable_json;
mod run_info;
mod samples;

pub use audit::{Audit, PictureStatistics, Quartiles};
pub use avizor_base::{Finding, Severity, Trust, Verdict};
pub use balance::{BalanceRow, read_balance, write_balance};
pub use comparison::{ComparedPair, ComparedVariant, Comparison, ComparisonFolder};
pub use error::StoreError;
pub use events::{Clock, EventLog, LoggedEvent, read_events};
pub use folder::RunFolder;
pub use format::Format;
pub use gallery::{Gallery, GalleryPicture, PictureKind};
pub use history::{History, HistoryLog, HistoryRow};
pub use matrix::{Matrix, read_matrix, write_matrix};
pub use measure::Measure;
pub use metrics::{ClassMetrics, ConfusionCounts, FineTuning, Metrics, PartMetrics};
pub use named::Named;
pub use predictions::{PredictionRow, Predictions};
pub use run_info::{DataInfo, Machine, NetworkInfo, RunInfo, RunState};
pub use samples::{SampleRow, read_samples, write_samples};
