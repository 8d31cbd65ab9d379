//! Groups cut by the split.

use avizor_base::Severity;

use super::Check;
use super::across_splits::in_several_parts;
use super::material::{Found, Material};

pub(super) const CHECK: Check = Check {
    kind: "group_across_splits",
    severity: Severity::Error,
    why: "pictures of one group (a patient, a scene) are learned and measured, so the result is too good",
    advice: "keep groups together with `split.group`, or remove them from one part",
    find,
};

fn find(material: &Material<'_>) -> Found {
    let mut rows: Vec<(&str, usize)> =
        (0..material.index.len()).filter_map(|row| Some((material.index.group(row)?, row))).collect();
    rows.sort_unstable();
    let mut found = Found::default();
    for set in rows.chunk_by(|a, b| a.0 == b.0) {
        let members: Vec<usize> = set.iter().map(|&(_, row)| row).collect();
        if in_several_parts(material, &members) {
            found.add(members.into_iter().map(|row| material.name(row)).collect(), format!("group {}", set[0].0));
        }
    }
    found
}
