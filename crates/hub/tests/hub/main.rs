//! The hub's client against a server of the test's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod broken;
mod fetching;
mod server;
mod stage;
