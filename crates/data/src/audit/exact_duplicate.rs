//! Equal pictures in one class.

use avizor_base::Severity;

use super::Check;
use super::equal_pictures::{equal_pictures, one_class};

pub(super) const CHECK: Check = Check {
    kind: "exact_duplicate",
    severity: Severity::Warning,
    why: "equal pictures count twice in training, and in two parts they flatter the result",
    advice: "remove all but one; until then a split keeps them on one side",
    find: |material| equal_pictures(material, |set| one_class(material, set)),
};
