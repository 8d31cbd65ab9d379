//! Equal files in different classes.

use super::equal_files::{equal_files, one_class};
use super::{Check, Severity};

pub(super) const CHECK: Check = Check {
    kind: "two_labels",
    severity: Severity::Error,
    why: "the same file is in two classes: one of the labels is wrong, and the network is told both",
    remedy: "decide which class is right and remove the other file",
    find: |material| equal_files(material, |set| !one_class(material, set)),
};
