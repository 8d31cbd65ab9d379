//! Classes that a part lacks.

use super::Check;
use avizor_base::{Severity, Split};

use super::material::{Found, Material};

pub(super) const CHECK: Check = Check {
    kind: "missing_class_in_split",
    severity: Severity::Warning,
    why: "nothing can be said about a class in a part that has no picture of it",
    advice: "add pictures of the class, or give val and test larger shares",
    find,
};

fn find(material: &Material<'_>) -> Found {
    let (classes, mut found) = (material.index.classes(), Found::default());
    let mut counts = vec![[0usize; 3]; classes.len()];
    for row in 0..material.index.len() {
        if let Some(part) = material.part(row) {
            counts[material.index.label(row).index()][part as usize] += 1;
        }
    }
    for part in Split::ALL {
        let at = part as usize;
        if counts.iter().all(|counts| counts[at] == 0) {
            continue;
        }
        for class in classes.ids().filter(|class| counts[class.index()][at] == 0) {
            found.add(Vec::new(), format!("no picture of {} in {part}", classes.name(class)));
        }
    }
    found
}
