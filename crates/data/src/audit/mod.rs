//! What is wrong with a data set, before anything is trained on it.
//!
//! A finding's file holds its rule, why it matters and what to do; [`CHECKS`] is their order in the report, within a severity.

mod across_splits;
mod alpha;
mod animated;
mod blank;
mod blurred;
mod bright;
mod cmyk;
mod damaged;
mod dark;
mod equal_pictures;
mod exact_duplicate;
mod exif_rotated;
mod gray;
mod group_across_splits;
mod ignored_file;
mod imbalance;
mod lookalike_classes;
mod material;
mod missing_class_in_split;
mod near_across_splits;
mod near_duplicate;
mod near_sets;
mod near_two_labels;
mod odd_shape;
mod shortcut;
mod table_mismatch;
#[cfg(test)]
mod tests;
mod tiny_class;
mod truncated;
mod two_labels;
mod undecodable;
mod verdict;
mod wrong_extension;

pub use material::Material;
pub use verdict::verdict;

use avizor_base::{Finding, Severity};
use material::Found;

/// One kind of finding.
pub struct Check {
    /// Stable name in the JSON page.
    pub kind: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub advice: &'static str,
    find: fn(&Material<'_>) -> Found,
}

/// All kinds.
pub const CHECKS: &[Check] = &[
    undecodable::CHECK,
    truncated::CHECK,
    two_labels::CHECK,
    across_splits::CHECK,
    near_across_splits::CHECK,
    group_across_splits::CHECK,
    missing_class_in_split::CHECK,
    lookalike_classes::CHECK,
    shortcut::CHECK,
    table_mismatch::CHECK,
    tiny_class::CHECK,
    imbalance::CHECK,
    exact_duplicate::CHECK,
    near_duplicate::CHECK,
    near_two_labels::CHECK,
    damaged::CHECK,
    blank::CHECK,
    dark::CHECK,
    bright::CHECK,
    blurred::CHECK,
    odd_shape::CHECK,
    wrong_extension::CHECK,
    animated::CHECK,
    gray::CHECK,
    alpha::CHECK,
    cmyk::CHECK,
    exif_rotated::CHECK,
    ignored_file::CHECK,
];

/// Runs every check; what is not there gives no finding. The worst come first, those of one severity as in [`CHECKS`].
pub fn audit(material: &Material<'_>) -> Vec<Finding> {
    let finding = |check: &Check| {
        let found = (check.find)(material);
        (found.count > 0).then(|| Finding {
            kind: check.kind.to_owned(),
            severity: check.severity,
            count: found.count as u64,
            groups: found.groups,
            details: found.details,
            why: check.why.to_owned(),
            advice: check.advice.to_owned(),
        })
    };
    let mut findings: Vec<Finding> = CHECKS.iter().filter_map(finding).collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}
