//! Pictures that are nearly black.

use super::{Check, Severity};

pub(super) const CHECK: Check = Check {
    kind: "dark",
    severity: Severity::Info,
    why: "hardly anything can be seen",
    remedy: "look at them; remove what shows nothing",
    find: |material| material.pictures(|_, seen| seen.light.mean < 15.0 && seen.light.deviation >= 2.0),
};
