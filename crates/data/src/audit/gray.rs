//! Pictures without colour.

use avizor_base::Severity;

use super::Check;

pub(super) const CHECK: Check = Check {
    kind: "gray",
    severity: Severity::Info,
    why: "where gray pictures are frequent in one class only, the network may learn the lack of colour",
    advice: "compare the classes; make all pictures gray, or add gray ones everywhere",
    find: |material| material.pictures(|_, seen| seen.light.gray),
};
