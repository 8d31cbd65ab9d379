//! Rows without a picture and pictures without a row.

use avizor_base::Severity;

use super::Check;
use super::material::{Found, Material};

pub(super) const CHECK: Check = Check {
    kind: "table_mismatch",
    severity: Severity::Warning,
    why: "what has no partner is left out",
    advice: "complete the table or the folder, or check which column names the files",
    find,
};

fn find(material: &Material<'_>) -> Found {
    let mut found = Found::default();
    let Some(report) = material.index.table() else { return found };
    for (mentioned, what) in [
        (&report.without_file, "rows lead to no picture"),
        (&report.without_row, "pictures have no row"),
        (&report.repeated, "rows name a picture again; the first row counts"),
        (&report.unlabelled, "pictures have a row without a class"),
    ] {
        if mentioned.count > 0 {
            found.count += mentioned.count;
            found.groups.push(mentioned.names.clone());
            found.details.push(format!("{} {what}", mentioned.count));
        }
    }
    found
}
