//! The program of a `.pth` alone: the object of a file of the older layout that has four storages of eight numbers.
#![no_main]

libfuzzer_sys::fuzz_target!(|object: &[u8]| {
    let magic: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    let keys: &[u8] = b"\x80\x02]q\x00(X\x01\x00\x00\x000X\x01\x00\x00\x001X\x01\x00\x00\x002X\x01\x00\x00\x003e.";
    let mut file = [magic, b"\x80\x02M\xe9\x03.", b"\x80\x02}.", object, keys].concat();
    for _ in 0..4 {
        file.extend(8u64.to_le_bytes());
        file.extend([0x3e; 8 * 8]);
    }
    avizor_fuzz::read_into_small_state(&file);
});
