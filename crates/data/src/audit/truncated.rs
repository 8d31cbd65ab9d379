//! Files that end too early.

use avizor_base::Severity;

use super::Check;
use super::undecodable::{failed, is_cut_off};

pub(super) const CHECK: Check = Check {
    kind: "truncated",
    severity: Severity::Error,
    why: "these files end before their picture does and are left out",
    advice: "fetch them again; the rest of the picture is missing",
    find: |material| failed(material, is_cut_off),
};
