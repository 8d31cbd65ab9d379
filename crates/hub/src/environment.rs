//! What the environment says of the hub: the variables that its Python library reads.

use std::env::var_os;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// Where the hub is when nothing else is said.
const ENDPOINT: &str = "https://huggingface.co";
/// A token file that is longer is none.
const MOST_TOKEN_BYTES: u64 = 4096;

/// Whether the network may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It may.
    Allowed,
    /// Only what is at hand is used.
    Forbidden,
}

/// Whether `HF_HUB_OFFLINE` forbids to ask the network.
pub fn is_offline() -> bool {
    let value = text("HF_HUB_OFFLINE").unwrap_or_default();
    ["1", "on", "yes", "true"].contains(&value.to_ascii_lowercase().as_str())
}

/// `HF_ENDPOINT`, or the public hub; without a slash at its end.
pub(crate) fn endpoint() -> String {
    text("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned()).trim_end_matches('/').to_owned()
}

/// `HF_HUB_CACHE`, or `hub` in the hub's folder.
pub(crate) fn cache() -> Option<PathBuf> {
    path("HF_HUB_CACHE").or_else(|| Some(home()?.join("hub")))
}

/// `HF_TOKEN`, or what the hub's program has stored.
pub(crate) fn token() -> Option<String> {
    text("HF_TOKEN").or_else(|| {
        let file = File::open(path("HF_TOKEN_PATH").or_else(|| Some(home()?.join("token")))?).ok()?;
        let mut token = String::new();
        file.take(MOST_TOKEN_BYTES).read_to_string(&mut token).ok()?;
        Some(token.trim().to_owned()).filter(|token| !token.is_empty())
    })
}

/// `SSL_CERT_FILE`: what a network trusts that reads along.
pub(crate) fn certificates() -> Option<PathBuf> {
    path("SSL_CERT_FILE")
}

/// `HF_HOME`, or the hub's folder in the user's cache.
fn home() -> Option<PathBuf> {
    let user = || path("HOME").or_else(|| path("USERPROFILE")).map(|home| home.join(".cache"));
    path("HF_HOME").or_else(|| Some(path("XDG_CACHE_HOME").or_else(user)?.join("huggingface")))
}

fn text(name: &str) -> Option<String> {
    Some(var_os(name)?.to_str()?.trim().to_owned()).filter(|text| !text.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
