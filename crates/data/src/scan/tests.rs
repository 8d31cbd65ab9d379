use std::sync::Arc;

use avizor_base::{ImageSize, Preprocess};

use super::*;
use crate::DataOptions;
use crate::tests_support::{png, write};

fn scanned(threads: usize) -> (tempfile::TempDir, Arc<Index>, Scan) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a/red.png", &png(3, 4, [255, 0, 0]));
    write(folder.path(), "a/again.png", &png(3, 4, [255, 0, 0]));
    write(folder.path(), "b/gray.png", &png(5, 2, [9, 9, 9]));
    write(folder.path(), "b/text.jpg", b"<html>no</html>");
    write(folder.path(), "b/empty.jpg", b"");
    let index = Arc::new(Index::read(&DataOptions::new(folder.path())).unwrap());
    let mut told = Vec::new();
    let scan = scan(&index, &DecodeOptions::default(), threads, None, |done| told.push(done));
    assert_eq!(told, [1, 2, 3, 4, 5]);
    (folder, index, scan)
}

#[test]
fn good_and_bad_files_are_told_apart() {
    let (_folder, index, scan) = scanned(1);
    let bad: Vec<_> = scan.unreadable().map(|(row, why)| (index.name(row), why.to_string())).collect();
    assert_eq!(bad.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["b/empty.jpg", "b/text.jpg"]);
    assert_eq!(bad[0].1, "is empty");
    assert_eq!(scan.record(0).hash, scan.record(1).hash);
    let seen = scan.record(2);
    assert_eq!(seen.bytes, 0);
    assert!(scan.record(3).seen.as_ref().is_ok_and(|seen| seen.light.gray && seen.facts.stored_size.width() == 2));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (_one, index, one) = scanned(1);
    let (_many, _, many) = scanned(8);
    assert_eq!(one, many);
    assert_eq!(one.fingerprint(&index), many.fingerprint(&index));
}

#[test]
fn a_scan_fills_the_prepared_cache() {
    let (_folder, index, _) = scanned(1);
    let preprocess = Preprocess::new(ImageSize::new(2, 2).unwrap());
    let prepared = Prepared::new(index.clone(), preprocess, Default::default(), 1 << 20);
    scan(&index, &DecodeOptions::default(), 2, Some(&prepared), |_| {});
    assert_eq!(prepared.held(), 3);
}
