//! One picture several times in one class, cropped, turned, mirrored or otherwise edited.

use avizor_base::Severity;

use super::Check;
use super::equal_pictures::one_class;
use super::near_sets::near_sets;

pub(super) const CHECK: Check = Check {
    kind: "near_duplicate",
    severity: Severity::Warning,
    why: "edited copies count twice in training, and in two parts they flatter the result",
    advice: "keep one, or leave them: a split keeps them on one side",
    find: |material| near_sets(material, |set| one_class(material, set)),
};
