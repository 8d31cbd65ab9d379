//! The three parts of a data set.

use std::fmt;
use std::str::FromStr;

/// Which part of the data a sample belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What the network learns from.
    Train,
    /// What choices are made on: checkpoint, schedule, variant.
    Val,
    /// What the chosen one is measured on.
    Test,
}

impl Split {
    /// All three, in the order of use.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// `train`, `val` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Split {
    type Err = UnknownSplit;

    /// Accepts the names that people give their folders: `validation`, `valid`, `training`, `testing` too, in any case.
    fn from_str(text: &str) -> Result<Self, UnknownSplit> {
        match text.to_lowercase().as_str() {
            "train" | "training" => Ok(Self::Train),
            "val" | "valid" | "validation" => Ok(Self::Val),
            "test" | "testing" => Ok(Self::Test),
            _ => Err(UnknownSplit(text.to_owned())),
        }
    }
}

/// A name that stands for none of the three parts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is none of train, val and test")]
pub struct UnknownSplit(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_people_use_are_understood() {
        for (text, split) in
            [("train", Split::Train), ("Validation", Split::Val), ("valid", Split::Val), ("TESTING", Split::Test)]
        {
            assert_eq!(text.parse(), Ok(split));
        }
        assert!("tests".parse::<Split>().is_err());
    }
}
