//! Pictures that a camera stored turned.

use super::{Check, Severity};
use crate::decode::Orientation;

pub(super) const CHECK: Check = Check {
    kind: "exif_rotated",
    severity: Severity::Info,
    why: "avizor turns them upright; programs that ignore the note see them lying",
    remedy: "nothing, unless other programs use the same files",
    find: |material| material.pictures(|_, seen| seen.facts.orientation != Orientation::Upright),
};
