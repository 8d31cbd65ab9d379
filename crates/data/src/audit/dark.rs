//! Pictures that are nearly black.

use avizor_base::Severity;

use super::Check;

pub(super) const CHECK: Check = Check {
    kind: "dark",
    severity: Severity::Info,
    why: "hardly anything can be seen",
    advice: "look at them; remove what shows nothing",
    find: |material| material.pictures(|_, seen| seen.light.mean < 15.0 && seen.light.deviation >= 2.0),
};
