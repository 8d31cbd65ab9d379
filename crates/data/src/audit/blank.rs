//! Pictures of one colour.

use avizor_base::Severity;

use super::Check;

pub(super) const CHECK: Check = Check {
    kind: "blank",
    severity: Severity::Warning,
    why: "a picture of one colour shows nothing that could be learned",
    advice: "remove it, or check where it came from",
    find: |material| material.pictures(|_, seen| seen.light.deviation < 2.0),
};
