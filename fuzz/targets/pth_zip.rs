//! A `.pth` of today: a zip file, whatever its first four bytes were.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    if let Some(magic) = bytes.first_chunk_mut() {
        *magic = *b"PK\x03\x04";
    }
    avizor_fuzz::read_into_small_state(&bytes);
});
