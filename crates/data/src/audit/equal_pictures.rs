//! Pictures equal to the last pixel, for the checks that ask where they lie.

use super::material::{Found, Material};

/// Sets of two or more equal pictures that a rule holds for, each rising, by their first.
pub(super) fn equal_sets(material: &Material<'_>, rule: impl Fn(&[usize]) -> bool) -> Vec<Vec<usize>> {
    let pixels = |(row, record): (usize, &crate::scan::Record)| Some((record.seen.as_ref().ok()?.pixels, row));
    let mut rows: Vec<_> = material.scan.records().iter().enumerate().filter_map(pixels).collect();
    rows.sort_unstable();
    let mut sets: Vec<Vec<usize>> = rows
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|set| set.len() > 1)
        .map(|set| set.iter().map(|&(_, row)| row).collect())
        .filter(|set: &Vec<usize>| rule(set))
        .collect();
    // By first name, not by hash.
    sets.sort_unstable();
    sets
}

/// As findings. That files differ although their pictures do not, is said.
pub(super) fn equal_pictures(material: &Material<'_>, rule: impl Fn(&[usize]) -> bool) -> Found {
    let sets = equal_sets(material, rule);
    let hash = |row: usize| material.scan.record(row).hash;
    let one_file = |set: &Vec<usize>| set.iter().all(|&row| hash(row) == hash(set[0]));
    let mut found = Found::default();
    for set in &sets {
        let detail = if one_file(set) { "equal files" } else { "equal pixels, stored differently" };
        found.add(set.iter().map(|&row| material.name(row)).collect(), detail.to_owned());
    }
    if sets.iter().all(one_file) {
        found.details.clear();
    }
    found
}

/// Whether all samples of a set have one class.
pub(super) fn one_class(material: &Material<'_>, set: &[usize]) -> bool {
    set.iter().all(|&row| material.index.label(row) == material.index.label(set[0]))
}
