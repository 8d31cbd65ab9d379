//! Groups cut by the split.

use avizor_base::Severity;

use super::Check;
use super::across_splits::in_several_parts;
use super::material::{Found, Material};
use crate::index::Index;

pub(super) const CHECK: Check = Check {
    kind: "group_across_splits",
    severity: Severity::Error,
    why: "pictures of one group (a patient, a scene) are learned and measured, so the result is too good",
    advice: "keep groups together with `split.group`, or remove them from one part",
    find,
};

fn find(material: &Material<'_>) -> Found {
    let mut found = Found::default();
    for (group, rows) in groups(material.index) {
        if in_several_parts(material, &rows) {
            found.add(rows.into_iter().map(|row| material.name(row)).collect(), format!("group {group}"));
        }
    }
    found
}

/// Every group by its name, with its rows.
pub(super) fn groups(index: &Index) -> Vec<(&str, Vec<usize>)> {
    let mut rows: Vec<(&str, usize)> = (0..index.len()).filter_map(|row| Some((index.group(row)?, row))).collect();
    rows.sort_unstable();
    rows.chunk_by(|a, b| a.0 == b.0).map(|set| (set[0].0, set.iter().map(|&(_, row)| row).collect())).collect()
}
