//! One picture in several parts, cropped, turned, mirrored or otherwise edited.

use avizor_base::Severity;

use super::Check;
use super::across_splits::in_several_parts;
use super::near_sets::near_sets;

pub(super) const CHECK: Check = Check {
    kind: "near_across_splits",
    severity: Severity::Error,
    why: "the network is measured on pictures that it has learned, edited, so the result is too good",
    advice: "remove them from train, or let avizor split the data",
    find: |material| near_sets(material, |set| in_several_parts(material, set)),
};
