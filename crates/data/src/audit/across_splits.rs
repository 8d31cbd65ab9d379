//! Equal pictures in different parts.

use avizor_base::Severity;

use super::Check;
use super::equal_pictures::equal_pictures;
use super::material::Material;

pub(super) const CHECK: Check = Check {
    kind: "across_splits",
    severity: Severity::Error,
    why: "the network is measured on pictures that it has learned, so the result is too good",
    advice: "remove them from train, or let avizor split the data",
    find: |material| equal_pictures(material, |set| in_several_parts(material, set)),
};

/// Whether two samples of a set are in two parts; samples without a part do not count.
pub(super) fn in_several_parts(material: &Material<'_>, set: &[usize]) -> bool {
    let mut parts = set.iter().filter_map(|&row| material.part(row));
    let first = parts.next();
    parts.any(|part| Some(part) != first)
}
