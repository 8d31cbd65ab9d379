//! Pictures with transparency.

use avizor_base::Severity;

use super::Check;
use crate::decode::Mode;

pub(super) const CHECK: Check = Check {
    kind: "alpha",
    severity: Severity::Info,
    why: "what is transparent is shown over the background colour, which may tell the class",
    advice: "choose the background, or flatten the pictures",
    find: |material| material.pictures(|_, seen| matches!(seen.facts.mode, Mode::GrayAlpha | Mode::Rgba)),
};
