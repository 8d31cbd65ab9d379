//! Equal pictures in different classes.

use avizor_base::Severity;

use super::Check;
use super::equal_pictures::{equal_pictures, one_class};

pub(super) const CHECK: Check = Check {
    kind: "two_labels",
    severity: Severity::Error,
    why: "the same picture is in two classes: one of the labels is wrong, and the network is told both",
    advice: "decide which class is right and remove the other file",
    find: |material| equal_pictures(material, |set| !one_class(material, set)),
};
