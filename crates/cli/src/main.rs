//! The `avizor` program.
fn main() {}
