//! Files with equal content, for the checks that ask where they lie.

use super::material::{Found, Material};

/// Sets of two or more readable samples with equal bytes, by name, that a rule holds for.
pub(super) fn equal_files(material: &Material<'_>, rule: impl Fn(&[usize]) -> bool) -> Found {
    let hashed = |row: usize| Some((material.scan.record(row).hash?, row));
    let mut rows: Vec<_> =
        (0..material.index.len()).filter(|&row| material.scan.is_usable(row)).filter_map(hashed).collect();
    rows.sort_unstable();
    let mut sets: Vec<Vec<usize>> = rows
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|set| set.len() > 1)
        .map(|set| set.iter().map(|&(_, row)| row).collect())
        .filter(|set: &Vec<usize>| rule(set))
        .collect();
    // By first name, not by hash.
    sets.sort_unstable();
    Found::groups(sets.into_iter().map(|set| set.into_iter().map(|row| material.name(row)).collect()).collect())
}

/// Whether all samples of a set have one class.
pub(super) fn one_class(material: &Material<'_>, set: &[usize]) -> bool {
    set.iter().all(|&row| material.index.label(row) == material.index.label(set[0]))
}
