//! Pictures that are one picture, edited, for the checks that ask where they lie.

use super::material::{Found, Material};

/// Sets of near-duplicates that a rule holds for; what is equal to the byte is told elsewhere.
pub(super) fn near_sets(material: &Material<'_>, rule: impl Fn(&[usize]) -> bool) -> Found {
    let mut found = Found::default();
    let Some(twins) = material.scan.twins() else { return found };
    let hash = |row: usize| material.scan.record(row).hash;
    for set in twins.sets(material.index.len()) {
        if set.iter().all(|&row| hash(row) == hash(set[0])) || !rule(&set) {
            continue;
        }
        let within = twins.pairs().iter().filter(|twin| set.binary_search(&(twin.first as usize)).is_ok());
        let is_mirrored = within.into_iter().any(|twin| twin.way.is_mirrored());
        let detail = if is_mirrored {
            "seem to be one picture, edited, in part mirrored"
        } else {
            "seem to be one picture, edited"
        };
        found.add(set.into_iter().map(|row| material.name(row)).collect(), detail.to_owned());
    }
    found
}
