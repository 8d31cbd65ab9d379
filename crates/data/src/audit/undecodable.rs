//! Files that give no picture.

use avizor_base::Severity;

use super::Check;
use super::material::{Found, Material};
use crate::Unreadable;
use crate::decode::DecodeError;

pub(super) const CHECK: Check = Check {
    kind: "undecodable",
    severity: Severity::Error,
    why: "these files cannot be read and are left out; none is replaced",
    advice: "remove them, convert them, or fetch them again",
    find: |material| failed(material, |error| !is_cut_off(error)),
};

/// The files whose reason a rule holds for, with the reason.
pub(super) fn failed(material: &Material<'_>, rule: impl Fn(&Unreadable) -> bool) -> Found {
    let mut found = Found::default();
    for (row, error) in material.scan.unreadable().filter(|(_, error)| rule(error)) {
        found.add(vec![material.name(row)], error.to_string());
    }
    found
}

pub(super) fn is_cut_off(error: &Unreadable) -> bool {
    matches!(error, Unreadable::Picture(DecodeError::CutOff { .. }))
}
