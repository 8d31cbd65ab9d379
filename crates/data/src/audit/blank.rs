//! Pictures of one colour.

use super::{Check, Severity};

pub(super) const CHECK: Check = Check {
    kind: "blank",
    severity: Severity::Warning,
    why: "a picture of one colour shows nothing that could be learned",
    remedy: "remove it, or check where it came from",
    find: |material| material.pictures(|_, seen| seen.light.deviation < 2.0),
};
