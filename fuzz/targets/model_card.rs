//! The `model.json` of a model folder: the whole of opening a model, weights and programs included, and an answer of it.
#![no_main]

use std::fs;
use std::sync::OnceLock;

use avizor_fuzz::{copy_files, scratch_folder};
use avizor_kernels::{Cpu, Level};
use avizor_predict::Model;
use tempfile::TempDir;

/// Larger pictures take long.
const MOST_PIXELS: u32 = 1 << 12;

libfuzzer_sys::fuzz_target!(|json: &[u8]| {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = scratch_folder();
        copy_files("seeds/model", folder.path());
        folder
    });
    fs::write(folder.path().join("model.json"), json).expect("the folder can be written");
    match Model::open(folder.path(), Cpu::new(1, Level::best())) {
        Ok(mut model) => {
            let (pixels, classes) = (model.card().preprocess.size.area(), model.classes().len());
            if pixels <= MOST_PIXELS {
                let pictures = if model.sees_pictures() { vec![9; pixels as usize * 3] } else { Vec::new() };
                let metadata = vec![0.5; model.encoder().map_or(0, |encoder| encoder.width())];
                assert_eq!(model.score(&pictures, &metadata).probabilities.len(), classes);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
