//! Pictures with several frames.

use avizor_base::Severity;

use super::Check;

pub(super) const CHECK: Check = Check {
    kind: "animated",
    severity: Severity::Info,
    why: "only the first frame or page is used",
    advice: "save the frame that is meant as a picture of its own",
    find: |material| material.pictures(|_, seen| seen.facts.animated),
};
