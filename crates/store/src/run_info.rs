//! `run.json`: what a run is.

use avizor_base::Note;
use serde::{Deserialize, Serialize};

use crate::{Format, RunFolder, StoreError, file};

/// The content of `run.json`. Rewritten whenever something in it changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of this file's shape.
    pub format: Format,
    /// How far the run has come.
    pub state: RunState,
    /// Why it ended: all epochs done, early stop, interrupted, or the error's sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The command line, an argument each, beginning with the program.
    pub command: Vec<String>,
    /// Version of avizor.
    pub version: String,
    /// Seed of everything random.
    pub seed: u64,
    /// What it ran on.
    pub machine: Machine,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// When it ended: RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Time of work in seconds, interruptions left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// What it was trained on.
    pub data: DataInfo,
    /// What was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkInfo>,
    /// How often the test part was evaluated. More than once makes its numbers a choice.
    pub test_evaluations: u32,
    /// What a person should know.
    #[serde(default)]
    pub notes: Vec<Note>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Begun, not ended: at work, or killed.
    Running,
    /// Trained and evaluated.
    Finished,
    /// Stopped by a person; it can be resumed.
    Interrupted,
    /// Stopped by an error.
    Failed,
}

impl RunState {
    /// The word in `run.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// What a run ran on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The level of instructions used, such as `avx2`: part of "same seed, same bits".
    pub level: String,
    /// Threads at work. Results do not depend on them.
    pub threads: u32,
    /// Operating system and architecture, such as `linux x86_64`.
    pub system: String,
    /// The processor's name for itself, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
}

/// What a run was trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataInfo {
    /// The path as given.
    pub path: String,
    /// Hash over names, labels and contents: equal data, equal fingerprint.
    pub fingerprint: String,
    /// Samples used, all parts together.
    pub samples: u64,
    /// Classes.
    pub classes: u64,
}

/// What was trained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInfo {
    /// Name of the network, such as `resnet18`.
    pub name: String,
    /// Numbers learnt.
    pub parameters: u64,
    /// Where its first weights came from: `none`, `imagenet`, a file.
    pub weights: String,
    /// Height and width of its input in pixels.
    pub input: [u32; 2],
}

impl RunFolder {
    /// Stores `run.json`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write_info(&self, info: &RunInfo) -> Result<(), StoreError> {
        file::write_json(&self.info_path(), info)
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is not of this shape.
    pub fn read_info(&self) -> Result<RunInfo, StoreError> {
        file::read_json(&self.info_path())
    }
}
