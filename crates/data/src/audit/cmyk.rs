//! Pictures in four inks.

use avizor_base::Severity;

use super::Check;
use crate::decode::Mode;

pub(super) const CHECK: Check = Check {
    kind: "cmyk",
    severity: Severity::Info,
    why: "inks become light without a colour profile: colours may differ from what a printer meant",
    advice: "convert them to RGB with a profile, if colour matters",
    find: |material| material.pictures(|_, seen| matches!(seen.facts.mode, Mode::Cmyk | Mode::Ycck)),
};
