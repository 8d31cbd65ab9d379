//! Pictures that are nearly white.

use avizor_base::Severity;

use super::Check;

pub(super) const CHECK: Check = Check {
    kind: "bright",
    severity: Severity::Info,
    why: "hardly anything can be seen, unless it is a small thing on white",
    advice: "look at them; remove what shows nothing",
    find: |material| material.pictures(|_, seen| seen.light.mean > 245.0 && seen.light.deviation >= 2.0),
};
