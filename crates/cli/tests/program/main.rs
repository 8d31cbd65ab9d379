//! The program as a user meets it: run from an empty folder, judged by exit code, output and what it leaves behind.

mod bad_input;
mod resume;
mod road;
mod sandbox;
