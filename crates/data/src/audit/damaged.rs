//! Pictures that only a forgiving decoder reads.

use avizor_base::Severity;

use super::Check;

pub(super) const CHECK: Check = Check {
    kind: "damaged",
    severity: Severity::Warning,
    why: "these pictures were read in spite of errors in the file: part of them may be wrong",
    advice: "look at them, and fetch them again if they are broken",
    find: |material| material.pictures(|_, seen| seen.facts.damaged || seen.facts.truncated),
};
