//! A `.safetensors`, or whatever else the bytes look like.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| avizor_fuzz::read_into_small_state(bytes));
