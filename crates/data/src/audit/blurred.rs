//! Pictures out of focus, shaken, or enlarged.

use avizor_base::Severity;

use super::Check;

pub(super) const CHECK: Check = Check {
    kind: "blurred",
    severity: Severity::Info,
    why: "little of what tells classes apart may be left in a picture without detail",
    advice: "look at them; remove those in which you cannot tell the class yourself",
    find: |material| material.pictures(|_, seen| seen.blur.is_some_and(|blur| blur > BLURRED)),
};

/// Of [`crate::scan::Seen::blur`].
const BLURRED: f32 = 0.7;
