//! A `.pth` as before the zip files: five programs and numbers. The bytes are what follows the magic number.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let magic: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    let rest = bytes.strip_prefix(magic).unwrap_or(bytes);
    avizor_fuzz::read_into_small_state(&[magic, rest].concat());
});
