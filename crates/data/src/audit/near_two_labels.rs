//! One picture in several classes, cropped, turned, mirrored or otherwise edited.

use avizor_base::Severity;

use super::Check;
use super::equal_pictures::one_class;
use super::near_sets::near_sets;

pub(super) const CHECK: Check = Check {
    kind: "near_two_labels",
    severity: Severity::Warning,
    why: "about one picture the network is told two classes; one of them may be wrong",
    advice: "look at them, and decide which class is right",
    find: |material| near_sets(material, |set| !one_class(material, set)),
};
