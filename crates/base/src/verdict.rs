//! Whether an evaluation can be trusted, as far as the data go.

use serde::{Deserialize, Serialize};

/// What an audit says of an evaluation, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The word.
    pub evaluation: Trust,
    /// What it rests on, a sentence.
    pub sentence: String,
}

/// What a number measured on the test part would be worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Nothing was found that would make it wrong.
    Valid,
    /// It may mean something else than it seems to.
    Doubtful,
    /// It would be too good: what is tested was learned.
    NotValid,
}

impl Trust {
    /// As in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Doubtful => "doubtful",
            Self::NotValid => "not valid",
        }
    }
}
