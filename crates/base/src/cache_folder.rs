//! Where a program may keep what it can make again.

use std::path::PathBuf;

/// The user's folder of caches: `XDG_CACHE_HOME`, `LOCALAPPDATA` or `.cache` at home; `None` where nobody is at home.
pub fn cache_folder() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    of("XDG_CACHE_HOME").or_else(|| of("LOCALAPPDATA")).or_else(|| Some(of("HOME")?.join(".cache")))
}
