//! A Parquet file of pictures: its texts read once, its pictures forwards and backwards.
#![no_main]

use std::fs;
use std::panic;
use std::sync::{Arc, OnceLock};

use avizor_data::parquet::{PageCache, ParquetFile};
use avizor_fuzz::scratch_folder;
use tempfile::TempDir;

/// As many pictures are asked for.
const ROWS: u64 = 64;
/// A file may declare millions of empty rows, which are counted in vain.
const COUNTED: u64 = 100_000;

libfuzzer_sys::fuzz_target!(
    // Panics of the library are caught where it is called; one that nobody catches still reaches the fuzzer.
    init: panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
        static FOLDER: OnceLock<TempDir> = OnceLock::new();
        let path = FOLDER.get_or_init(scratch_folder).path().join("rows.parquet");
        fs::write(&path, bytes).expect("the folder can be written");
        let file = match ParquetFile::open(&path, None, &Arc::new(PageCache::default())) {
            Ok(file) if file.rows() <= COUNTED => file,
            Ok(_) => return,
            Err(error) => return assert!(!error.to_string().is_empty() && !error.help().is_empty()),
        };
        let columns: Vec<&str> = file.columns().collect();
        let mut rows = 0;
        let texts = file.for_each_row(&columns, |row, fields| {
            assert_eq!((row, fields.len()), (rows, columns.len()));
            rows += 1;
        });
        assert!(texts.is_err() || rows == file.rows());
        let mut pictures = Vec::new();
        let last = file.rows().min(ROWS);
        for row in (0..last).chain((0..last).rev()) {
            let mut picture = Vec::new();
            let read = file.read(row, 1 << 20, &mut picture).map(|()| picture).map_err(|error| error.to_string());
            pictures.push(read);
        }
        let (forwards, backwards) = pictures.split_at(last as usize);
        assert!(forwards.iter().eq(backwards.iter().rev()), "a row is the same in any order");
    }
);
