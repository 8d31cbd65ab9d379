//! What lies in the folder and is no sample.

use avizor_base::Severity;

use super::Check;
use super::material::{Found, Material};

pub(super) const CHECK: Check = Check {
    kind: "ignored_file",
    severity: Severity::Info,
    why: "these are not used",
    advice: "check that none of them was meant as a picture",
    find,
};

fn find(material: &Material<'_>) -> Found {
    let mut found = Found::default();
    for (kind, mentioned) in material.index.ignored().iter() {
        found.count += mentioned.count;
        found.groups.push(mentioned.names.clone());
        found.details.push(format!("{} {}", mentioned.count, kind.describe()));
    }
    found
}
