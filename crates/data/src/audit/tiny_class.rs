//! Classes with very few pictures.

use avizor_base::Severity;

use super::Check;
use super::material::{Found, Material};

pub(super) const CHECK: Check = Check {
    kind: "tiny_class",
    severity: Severity::Warning,
    why: "so few pictures are hardly learned, and a number measured on one or two of them means little",
    advice: "add pictures: thirty are a start; or merge or leave out the class",
    find,
};

/// Fewer usable pictures than this leave one or two for a test part of 15 %.
const FEW: usize = 10;

fn find(material: &Material<'_>) -> Found {
    let (classes, mut found) = (material.index.classes(), Found::default());
    let mut counts = vec![0; classes.len()];
    let usable = (0..material.index.len()).filter(|&row| material.scan.is_usable(row));
    usable.for_each(|row| counts[material.index.label(row).index()] += 1);
    for class in classes.ids().filter(|class| counts[class.index()] < FEW) {
        let (count, name) = (counts[class.index()], classes.name(class));
        found.add(Vec::new(), format!("{name} has {count} usable picture{}", if count == 1 { "" } else { "s" }));
    }
    found
}
