//! A TensorFlow.js model: the bytes are its `model.json`, its pieces those of the golden model.
#![no_main]

use std::fs;
use std::sync::OnceLock;

use avizor_fuzz::{copy_files, scratch_folder, small_state};
use avizor_models::{WeightsError, load_weights};
use tempfile::TempDir;

libfuzzer_sys::fuzz_target!(|json: &[u8]| {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = scratch_folder();
        copy_files("../crates/models/tests/golden/tensorflow_js", folder.path());
        folder
    });
    let model = folder.path().join("model.json");
    fs::write(&model, json).expect("the folder can be written");
    // Read as a ResNet-50, converted, and then of another network than this one.
    let error = load_weights(&model, &mut small_state(), None).expect_err("no model is of the small network");
    assert!(!matches!(error, WeightsError::State(_)), "{error}");
});
