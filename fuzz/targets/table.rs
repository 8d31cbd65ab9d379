//! A table of labels beside four pictures.
#![no_main]

use std::fs;
use std::sync::OnceLock;

use avizor_data::{DataOptions, Index};
use avizor_fuzz::scratch_folder;
use tempfile::TempDir;

libfuzzer_sys::fuzz_target!(|table: &[u8]| {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = scratch_folder();
        fs::create_dir(folder.path().join("images")).expect("a folder");
        for name in ["a.jpg", "b.jpg", "images/c.png", "images/d.png"] {
            fs::write(folder.path().join(name), b"never opened").expect("a file");
        }
        folder
    });
    let path = folder.path().join("labels.csv");
    fs::write(&path, table).expect("the folder can be written");
    if let Err(error) = Index::read(&DataOptions::new(&path)) {
        assert!(!error.to_string().is_empty());
    }
});
