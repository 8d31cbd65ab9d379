//! Where real pictures lie for tests that need them.

#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::PathBuf;

/// The folder of a set under `AVIZOR_DATA`. Without it the test says that it is skipped, or fails where
/// `AVIZOR_REQUIRE_DATA=1`.
pub(crate) fn folder(test: &str, set: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("AVIZOR_DATA").map(|root| PathBuf::from(root).join(set));
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        let required = std::env::var_os("AVIZOR_REQUIRE_DATA").is_some_and(|value| value == "1");
        assert!(!required, "{test} needs AVIZOR_DATA/{set}");
        eprintln!("skipped: {test} needs AVIZOR_DATA/{set}");
    }
    found
}
