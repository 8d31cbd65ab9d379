//! Classes of very different size.

use avizor_base::Severity;

use super::Check;
use super::material::{Found, Material};

pub(super) const CHECK: Check = Check {
    kind: "imbalance",
    severity: Severity::Info,
    why: "a network that sees one class more often prefers it, and accuracy hides how bad the rare ones are",
    advice: "look at macro F1; `balance.sampler`, `balance.fill` or class weights even the classes out",
    find,
};

/// From this ratio of the largest class to the smallest.
const RATIO: usize = 2;

fn find(material: &Material<'_>) -> Found {
    let (classes, counts) = (material.index.classes(), material.index.class_counts());
    let mut found = Found::default();
    let present = || classes.ids().filter(|class| counts[class.index()] > 0);
    let most = present().max_by_key(|class| (counts[class.index()], std::cmp::Reverse(*class)));
    let least = present().min_by_key(|class| counts[class.index()]);
    if let (Some(most), Some(least)) = (most, least) {
        let (large, small) = (counts[most.index()], counts[least.index()]);
        if large >= RATIO * small {
            let (most, least) = (classes.name(most), classes.name(least));
            found.add(Vec::new(), format!("{most} has {large} pictures, {least} {small}"));
        }
    }
    found
}
