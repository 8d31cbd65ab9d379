//! Pictures that are one picture, edited, for the checks that ask where they lie.

use super::material::{Found, Material};

/// Sets of near-duplicates that a rule holds for; what is equal to the pixel is told elsewhere.
pub(super) fn near_sets(material: &Material<'_>, rule: impl Fn(&[usize]) -> bool) -> Found {
    let mut found = Found::default();
    let Some(twins) = material.scan.twins() else { return found };
    // Both of a pair are in one set.
    let mut is_mirrored = vec![false; material.index.len()];
    let mirrored = twins.pairs().iter().filter(|twin| twin.way.is_mirrored());
    mirrored.for_each(|twin| is_mirrored[twin.first as usize] = true);
    let pixels = |row: usize| material.scan.record(row).seen.as_ref().ok().map(|seen| seen.pixels);
    for set in twins.sets(material.index.len()) {
        if set.iter().all(|&row| pixels(row) == pixels(set[0])) || !rule(&set) {
            continue;
        }
        let detail = if set.iter().any(|&row| is_mirrored[row]) {
            "seem to be one picture, edited, in part mirrored"
        } else {
            "seem to be one picture, edited"
        };
        found.add(set.into_iter().map(|row| material.name(row)).collect(), detail.to_owned());
    }
    found
}
