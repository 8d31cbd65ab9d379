//! What the stored numbers mean, in words: findings of the curves, of the numbers and of the data.

mod curves;
pub(crate) mod data;
pub(crate) mod numbers;

use crate::stored::Stored;

pub(crate) use curves::of_curves;

/// One sentence about the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

/// How a finding bears on trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    /// The numbers cannot be trusted as they stand.
    Problem,
    /// The numbers need care.
    Care,
    /// Looked for and not found, or in order.
    Fine,
}

impl Tone {
    /// The word beside the sentence: colour alone tells nothing to some readers.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Problem => "Problem",
            Self::Care => "Care",
            Self::Fine => "Fine",
        }
    }

    /// The class of the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Care => "care",
            Self::Fine => "fine",
        }
    }
}

impl Finding {
    fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

/// Notes that are for checking, not for worrying: how the folder was understood, what training began with, how it went, how small
/// classes were filled up and how its length was chosen.
const FOR_CHECKING: [&str; 5] = ["source", "weights", "features", "balance", "time"];

/// Everything that bears on trust, the gravest first.
pub(crate) fn of_run(stored: &Stored) -> Vec<Finding> {
    let mut findings = Vec::new();
    numbers::find(stored, &mut findings);
    data::find(stored, &mut findings);
    findings.extend(of_curves(&stored.history));
    let note = |note: &avizor_base::Note| {
        let tone = if FOR_CHECKING.contains(&note.kind.as_str()) { Tone::Fine } else { Tone::Care };
        Finding::new(tone, data::sentence(&note.text))
    };
    findings.extend(stored.info.notes.iter().map(note));
    findings.sort_by_key(|finding| finding.tone);
    findings
}
