//! The program as a user meets it: run from an empty folder, judged by exit code, output and what it leaves behind.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails where it stands")]

mod audit;
mod bad_input;
mod balance;
mod bench;
mod cache;
mod custom;
mod difficult;
mod fetch;
mod metadata;
mod models;
mod parquet;
mod preview;
mod quickstart;
mod resume;
mod road;
mod sandbox;
mod test_flip;
mod transfer;
mod variants;
