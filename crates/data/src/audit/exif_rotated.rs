//! Pictures that a camera stored turned.

use avizor_base::Severity;

use super::Check;
use crate::decode::Orientation;

pub(super) const CHECK: Check = Check {
    kind: "exif_rotated",
    severity: Severity::Info,
    why: "avizor turns them upright; programs that ignore the note see them lying",
    advice: "nothing, unless other programs use the same files",
    find: |material| material.pictures(|_, seen| seen.facts.orientation != Orientation::Upright),
};
