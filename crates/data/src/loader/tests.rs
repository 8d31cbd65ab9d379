use std::sync::Arc;

use avizor_base::{ImageSize, Preprocess, Seed};

use super::*;
use crate::tests_support::{noise_png, write};
use crate::transforms::Transforms;
use crate::{DataOptions, Index};

const PICTURES: u32 = 23;

fn data() -> (tempfile::TempDir, Arc<Index>) {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..PICTURES {
        let name = format!("{}/{n:02}.png", ["a", "b", "c"][n as usize % 3]);
        write(folder.path(), &name, &noise_png(5 + n % 7, 9, n));
    }
    let index = Arc::new(Index::read(&DataOptions::new(folder.path())).unwrap());
    (folder, index)
}

fn prepared(index: &Arc<Index>, budget: u64) -> Arc<Prepared> {
    let preprocess = Preprocess::new(ImageSize::new(8, 8).unwrap());
    Arc::new(Prepared::new(Arc::clone(index), preprocess, Default::default(), budget))
}

fn flips() -> Transforms {
    serde_json::from_str(r#"[{ "op": "horizontal_flip", "p": 0.5 }, { "op": "vertical_flip", "p": 0.5 }]"#).unwrap()
}

fn visits(index: &Index) -> Vec<Visit> {
    let rows: Vec<u32> = (0..index.len() as u32).collect();
    weighted_order(Seed(1), 2, &rows, index.labels())
}

fn options(threads: usize) -> LoaderOptions {
    LoaderOptions { batch: 4, epoch: 2, seed: Seed(9), threads, first_batch: 0 }
}

fn all(mut loader: Loader) -> Vec<Batch> {
    let mut batches = Vec::new();
    while let Some(batch) = loader.next_batch().unwrap() {
        batches.push(batch.clone());
    }
    batches
}

#[test]
fn threads_and_budget_change_no_byte() {
    let (_folder, index) = data();
    let run = |threads, budget| {
        let prepared = prepared(&index, budget);
        let batches = all(Loader::new(prepared.clone(), visits(&index), Some(flips()), options(threads)).unwrap());
        (batches, prepared.held())
    };
    let (wanted, held) = run(1, u64::MAX);
    assert_eq!(wanted.len(), 6);
    assert_eq!(wanted.iter().map(Batch::len).collect::<Vec<_>>(), [4, 4, 4, 4, 4, 3]);
    assert!(held > 3);
    for threads in [2, 3, 8] {
        assert!(run(threads, u64::MAX).0 == wanted, "{threads} threads");
    }
    let (bounded, held) = run(4, 3 * 8 * 8 * 3 + 5);
    assert!(bounded == wanted && held == 3);
    assert!(run(2, 0).0 == wanted);
}

#[test]
fn an_epoch_goes_on_where_it_was_left() {
    let (_folder, index) = data();
    let whole = all(Loader::new(prepared(&index, 1 << 20), visits(&index), Some(flips()), options(2)).unwrap());
    for first in [0, 3, 5, 6, 100] {
        let options = LoaderOptions { first_batch: first, ..options(3) };
        let rest = all(Loader::new(prepared(&index, 1 << 20), visits(&index), Some(flips()), options).unwrap());
        assert!(rest == whole[first.min(6)..], "from {first}");
    }
}

#[test]
fn a_repeated_sample_is_augmented_anew_and_labels_follow() {
    let (_folder, index) = data();
    let visits: Vec<Visit> = (0..64).map(|occurrence| Visit { row: 5, copy: 0, occurrence }).collect();
    let loader = Loader::new(prepared(&index, 1 << 20), visits, Some(flips()), options(2)).unwrap();
    let batches = all(loader);
    let pictures: std::collections::HashSet<&[u8]> =
        batches.iter().flat_map(|batch| batch.images.chunks_exact(8 * 8 * 3)).collect();
    assert_eq!(pictures.len(), 4, "all flips of one picture");
    assert!(batches.iter().all(|batch| batch.rows == [5; 4] && batch.labels == [index.label(5).0 as i32; 4]));
}

#[test]
fn a_class_is_filled_up_by_copies_evenly_and_by_its_own_pictures_alone() {
    let (_folder, index) = data();
    // 8 of a, 8 of b, 7 of c, but for two rows, which are of another part.
    let rows: Vec<u32> = (0..index.len() as u32).filter(|row| ![3, 22].contains(row)).collect();
    for least in [0, 1, 7, 8, 9, 20, 31] {
        let visits = filled_order(Seed(4), &rows, &index, least);
        assert!(visits.starts_with(&plain_order(&rows)), "{least}");
        assert_eq!(visits.iter().collect::<std::collections::HashSet<_>>().len(), visits.len());
        for class in 0..3 {
            let of_class = |row: u32| index.label(row as usize).index() == class;
            let before = rows.iter().filter(|&&row| of_class(row)).count();
            let filled: Vec<&Visit> = visits.iter().filter(|visit| of_class(visit.row)).collect();
            assert_eq!(filled.len(), before.max(least), "class {class} filled up to {least}");
            let copies = |row| filled.iter().filter(|visit| visit.row == row && visit.copy > 0).count();
            let counts: Vec<usize> = rows.iter().copied().filter(|&row| of_class(row)).map(copies).collect();
            let (most, fewest) = (counts.iter().max().unwrap(), counts.iter().min().unwrap());
            assert!(most - fewest <= 1, "{counts:?}");
        }
        assert!(visits.iter().all(|visit| ![3, 22].contains(&visit.row)));
    }
    let one_more = |seed| {
        let visits = filled_order(Seed(seed), &rows, &index, 12);
        visits.iter().filter(|visit| visit.copy > 0).map(|visit| visit.row).collect::<Vec<_>>()
    };
    assert_eq!(one_more(1), one_more(1));
    assert_ne!(one_more(1), one_more(2));
    assert!(filled_order(Seed(1), &[], &index, 5).is_empty());
}

#[test]
fn a_copy_is_the_same_picture_in_every_epoch_and_changed_anew_on_top() {
    let (_folder, index) = data();
    let noise: Transforms = serde_json::from_str(r#"[{ "op": "gaussian_noise", "sigma": 0.1 }]"#).unwrap();
    let with = |seed| {
        let preprocess = Preprocess::new(ImageSize::new(8, 8).unwrap());
        let prepared = Prepared::new(Arc::clone(&index), preprocess, Default::default(), 1 << 20);
        Arc::new(prepared.with_copies(Seed(seed), noise.clone()))
    };
    let pictures = |prepared: &Arc<Prepared>, epoch, transforms: Option<Transforms>, copies: &[u32]| {
        let visits = copies.iter().map(|&copy| Visit { row: 5, copy, occurrence: 0 }).collect();
        let options = LoaderOptions { epoch, ..options(2) };
        let batches = all(Loader::new(Arc::clone(prepared), visits, transforms, options).unwrap());
        batches.iter().flat_map(|batch| batch.images.chunks_exact(8 * 8 * 3)).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let prepared = with(1);
    let first = pictures(&prepared, 0, None, &[0, 1, 2]);
    assert_eq!(first[0], prepared.picture(5).unwrap().into_pixels(), "the picture itself stays as it is");
    assert!(first[0] != first[1] && first[1] != first[2]);
    assert!(first == pictures(&prepared, 7, None, &[0, 1, 2]), "drawn once");
    // Whatever else is visited, and in which order.
    assert!(first[2] == pictures(&prepared, 1, None, &[3, 2])[1]);
    assert!(first[1] != pictures(&with(2), 0, None, &[1])[0]);
    let flipped = |epoch, copy| pictures(&prepared, epoch, Some(flips()), &[copy]).remove(0);
    let versions: std::collections::HashSet<Vec<u8>> = (0..40).map(|epoch| flipped(epoch, 1)).collect();
    assert_eq!(versions.len(), 4, "all flips of one copy, which is among them");
    assert!(versions.contains(&first[1]));
    let unlike = |epoch: &u64| flipped(*epoch, 1) == first[1] && flipped(*epoch, 0) != first[0];
    assert!((0..40).any(|epoch| unlike(&epoch)), "copies are changed by numbers of their own");
}

#[test]
fn without_transforms_pictures_come_as_prepared() {
    let (_folder, index) = data();
    let prepared = prepared(&index, 0);
    let plain = plain_order(&[7, 3]);
    let batches = all(Loader::new(Arc::clone(&prepared), plain, None, options(2)).unwrap());
    let wanted = [prepared.picture(7).unwrap().into_pixels(), prepared.picture(3).unwrap().into_pixels()].concat();
    assert_eq!(batches[0].images, wanted);
}

#[test]
fn a_file_that_vanishes_is_named_and_always_at_its_batch() {
    let (folder, index) = data();
    let gone = 10;
    std::fs::remove_file(index.path(gone)).unwrap();
    let rows: Vec<u32> = (0..index.len() as u32).collect();
    for threads in [1, 4] {
        let mut loader = Loader::new(prepared(&index, 0), plain_order(&rows), None, options(threads)).unwrap();
        assert!(loader.next_batch().unwrap().is_some() && loader.next_batch().unwrap().is_some());
        let error = loader.next_batch().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("{} was fine when the data were read and now cannot be read", index.name(gone)))
        );
        assert!(loader.next_batch().unwrap().is_none());
    }
    drop(folder);
}

#[test]
fn a_loader_may_be_left_in_the_middle() {
    let (_folder, index) = data();
    let mut loader = Loader::new(prepared(&index, 0), visits(&index), None, options(3)).unwrap();
    assert!(loader.next_batch().unwrap().is_some());
    drop(loader);
    let mut none = Loader::new(prepared(&index, 0), Vec::new(), None, options(3)).unwrap();
    assert!(none.next_batch().unwrap().is_none());
}
