//! A zip file, listed, and every file in it read.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| avizor_fuzz::read_archive(bytes, b"PK", 0));
