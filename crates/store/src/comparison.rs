//! `comparison.json`: several runs on the same question, side by side.

use std::path::{Path, PathBuf};

use avizor_base::Split;
use serde::{Deserialize, Serialize};

use crate::{Format, Measure, StoreError, file};

/// The content of `comparison.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Version of this file's shape.
    pub format: Format,
    /// The recipe's name.
    pub name: String,
    /// Variants in the order of the recipe; those that have not run yet are missing.
    pub variants: Vec<ComparedVariant>,
    /// Folds of the cross-validation by which choices are made; 0: all runs have one validation part.
    #[serde(default)]
    pub folds: u64,
    /// The variant with the best validation macro F1, of equals with the lowest validation loss; `None` where they answer different questions.
    pub chosen: Option<String>,
    /// Every two variants that were evaluated on the same samples.
    pub pairs: Vec<ComparedPair>,
    /// Level that the intervals of all pairs together have, such as 0.95.
    pub level: f64,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// A variant with the runs of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedVariant {
    /// Its name.
    pub name: String,
    /// What it changes of the recipe.
    pub changes: Vec<String>,
    /// Folders of its runs, one a seed and fold, in the folder of the comparison.
    pub runs: Vec<String>,
    /// Its network.
    pub network: String,
    /// Trained numbers of it.
    pub parameters: u64,
    /// Seconds of training, all runs together.
    pub seconds: f64,
    /// Validation macro F1, the mean over the runs: what choices are made by.
    pub val_macro_f1: Option<f64>,
    /// Validation log loss, likewise: it decides between equals.
    pub val_log_loss: Option<f64>,
    /// The part whose numbers follow.
    pub part: Split,
    /// Pictures of it.
    pub samples: u64,
    /// Level of the intervals that follow.
    pub level: f64,
    /// Accuracy over all runs.
    pub accuracy: Measure,
    /// Macro F1 over all runs.
    pub macro_f1: Measure,
}

/// Two variants on the same samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedPair {
    /// One of them.
    pub first: String,
    /// The other.
    pub second: String,
    /// Accuracy of the second less that of the first; the interval is so wide that those of all pairs hold together.
    pub difference: Measure,
    /// Whether that interval leaves out zero.
    pub told_apart: bool,
}

/// Where a comparison keeps its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparisonFolder {
    path: PathBuf,
}

impl ComparisonFolder {
    /// A folder that exists.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The folder itself: the runs lie in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `comparison.json`.
    pub fn comparison_path(&self) -> PathBuf {
        self.path.join("comparison.json")
    }

    /// `report.html`.
    pub fn report_html_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// Stores `comparison.json`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, comparison: &Comparison) -> Result<(), StoreError> {
        file::write_json(&self.comparison_path(), comparison)
    }

    /// Reads `comparison.json`.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is not of this shape.
    pub fn read(&self) -> Result<Comparison, StoreError> {
        file::read_json(&self.comparison_path())
    }
}
