//! Files that end too early.

use super::undecodable::{failed, is_cut_off};
use super::{Check, Severity};

pub(super) const CHECK: Check = Check {
    kind: "truncated",
    severity: Severity::Error,
    why: "these files end before their picture does and are left out",
    remedy: "fetch them again; the rest of the picture is missing",
    find: |material| failed(material, is_cut_off),
};
