use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use avizor_base::{Preprocess, Purpose, Seed, Split};

use super::*;
use crate::index::IndexError;
use crate::{DataOptions, DecodeOptions, Index, Picture, Place, Prepared, SplitOptions, read_place, scan, split};

/// What `scripts/golden_parquet.py` made.
fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parquet").join(name)
}

/// Picture n as the script draws it.
fn colour(n: u8) -> [u8; 3] {
    [n.wrapping_mul(7), n, 255 - n]
}

fn picture(place: Place<'_>) -> Result<Picture, String> {
    let decoded = read_place(place, &DecodeOptions::default(), &mut Vec::new());
    decoded.map(|decoded| decoded.picture).map_err(|error| error.to_string())
}

fn open(name: &str) -> Result<ParquetFile, ParquetError> {
    ParquetFile::open(&golden(name), None, &Arc::default())
}

#[test]
fn a_data_set_of_the_hub_is_read_with_its_parts_and_class_names() {
    let mut options = DataOptions::new(golden("hub"));
    options.table.group = Some("patient".into());
    options.table.metadata = vec!["age".into()];
    let index = Index::read(&options).unwrap();
    assert_eq!(index.classes().names(), ["cat", "dog"]);
    // The row without a class is left out; the one without a picture is found when it is read.
    assert_eq!((index.len(), index.table().unwrap().unlabelled.count), (17, 1));
    assert_eq!(index.table().unwrap().unlabelled.names, ["data/test-00000-of-00001.parquet/000002"]);
    let row = index.row_of("data/train-00001-of-00002.parquet/000002").unwrap();
    assert_eq!((index.given(row), index.group(row)), (Some(Split::Train), Some("p5")));
    assert_eq!((index.classes().name(index.label(row)), index.metadata()[0].values.get(row)), ("cat", ""));
    assert_eq!(index.path(row), golden("hub/data/train-00001-of-00002.parquet/000002"));
    let path = index.path(row);
    assert_eq!(picture(index.place(row, &path)).unwrap().pixel(3, 4), colour(10));
    let notes: Vec<&str> = index.notes().iter().map(|note| note.text.as_str()).collect();
    assert_eq!(
        notes[0],
        "3 Parquet files: pictures from column \"image\", labels from \"label\", numbers of 2 names in the file, parts from the files' names"
    );
    let seen = scan(&index, &DecodeOptions::default(), 2, None, |_| {});
    let unreadable: Vec<String> = seen.unreadable().map(|(row, why)| format!("{} {why}", index.name(row))).collect();
    assert_eq!(unreadable, ["data/train-00000-of-00002.parquet/000003 cannot be read: the row holds no picture"]);
    let partition = split(&index, Some(&seen), &SplitOptions::default()).unwrap();
    assert_eq!(partition.rows(Split::Test).len(), 4);
}

#[test]
fn every_packing_gives_the_same_pictures_in_any_order() {
    for name in ["snappy", "gzip", "none"] {
        let file = open(&format!("{name}.parquet")).unwrap();
        assert_eq!(file.picture_column(), "photo");
        assert_eq!(file.columns().collect::<Vec<_>>(), ["species", "split", "is_cat", "is_dog", "size"]);
        let mut rows = Vec::new();
        file.for_each_row(&["species", "size", "is_dog"], |row, fields| rows.push((row, fields.to_vec()))).unwrap();
        assert_eq!(rows.len(), 20, "{name}");
        assert_eq!(rows[4], (4, vec!["cat".to_owned(), "254".into(), "0".into()]));
        assert_eq!(rows[5], (5, vec![String::new(), "255".into(), "1".into()]));
        for step in [1, 7, 13] {
            for row in (0..20).map(|n| n * step % 20) {
                let n = if row % 3 == 0 { 0 } else { row as u8 };
                assert_eq!(picture(Place::Row(&file, row)).unwrap().pixel(0, 0), colour(n), "{name} row {row}");
            }
        }
        let mut bytes = Vec::new();
        file.read(1, 9, &mut bytes).unwrap();
        assert_eq!(bytes.len(), 10);
        assert!(picture(Place::Row(&file, 20)).unwrap_err().contains("there is no row 20"));
        assert!(picture(Place::Row(&file, u64::MAX)).unwrap_err().contains("there is no row"));
    }
}

#[test]
fn a_page_of_many_rows_is_read_in_pieces() {
    let file = open("long.parquet").unwrap();
    assert_eq!(file.rows(), 70_000);
    for (row, n) in [(69_999, 6), (9_999, 0), (59_999, 5)] {
        assert_eq!(picture(Place::Row(&file, row)).unwrap().pixel(0, 0), colour(n));
        assert!(picture(Place::Row(&file, row - 1)).unwrap_err().contains("holds no picture"));
    }
}

#[test]
fn a_page_is_looked_at_before_memory_is_taken_for_it() {
    let whole = fs::read(golden("none.parquet")).unwrap();
    // The first page of pictures begins behind the mark of the format; its size is two bytes.
    assert_eq!((&whole[..4], whole[4], whole[6]), (&b"PAR1"[..], 0x15, 0x15));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forged.parquet");
    for (size, words) in [
        // A page of 2 GiB, and something that is no header.
        (&[0xfe, 0xff, 0xff, 0xff, 0x0f][..], "declares 2047 MiB"),
        (&[0x01], "no header"),
    ] {
        let mut bytes = [&whole[..7], size].concat();
        bytes.extend_from_slice(&whole[bytes.len()..]);
        fs::write(&path, bytes).unwrap();
        let file = ParquetFile::open(&path, None, &Arc::default()).unwrap();
        let error = picture(Place::Row(&file, 0)).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_file_of_one_part_is_split_and_its_columns_may_be_named() {
    let index = Index::read(&DataOptions::new(golden("none.parquet"))).unwrap();
    assert_eq!(index.name(0), "none.parquet/000000");
    assert_eq!((index.len(), index.given(0), index.given(3)), (19, Some(Split::Train), Some(Split::Test)));
    let alone = Index::read(&DataOptions::new(golden("hub/data/train-00000-of-00002.parquet"))).unwrap();
    assert!(!alone.has_given());
    let mut options = DataOptions::new(golden("snappy.parquet"));
    options.table.one_hot = vec!["is_cat".into(), "is_dog".into()];
    let index = Index::read(&options).unwrap();
    assert_eq!((index.classes().names(), index.len()), (&["is_cat".to_owned(), "is_dog".to_owned()][..], 20));
    options.table.one_hot.clear();
    for (change, words) in [
        (
            (|options| options.table.path = Some("species".into())) as fn(&mut DataOptions),
            "has no column \"species\" of pictures",
        ),
        (|options| options.table.label = Some("specie".into()), "has no column \"specie\""),
        (|options| options.table.label = Some("tags".into()), "has no column \"tags\""),
        (|options| options.table.split = Some("species".into()), "\"cat\" is"),
        (|options| options.label = crate::index::LabelRule::Folder, "are rows of a Parquet file"),
    ] {
        let mut options = options.clone();
        change(&mut options);
        let error = Index::read(&options).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.help().is_empty());
    }
}

#[test]
fn pictures_of_rows_are_prepared_and_become_files() {
    let index = Arc::new(Index::read(&DataOptions::new(golden("gzip.parquet"))).unwrap());
    let size = avizor_base::ImageSize::new(4, 5).unwrap();
    let prepared = Prepared::new(Arc::clone(&index), Preprocess::new(size), Default::default(), 0);
    assert_eq!(prepared.picture(7).unwrap().pixel(0, 0), colour(8));
    let partition = split(&index, None, &SplitOptions::default()).unwrap();
    let target = tempfile::tempdir().unwrap();
    let made = crate::split::materialize(&index, &partition, target.path()).unwrap();
    assert_eq!(made.copied, 19);
    let again = Index::read(&DataOptions::new(target.path())).unwrap();
    assert_eq!((again.len(), again.name(0)), (19, "test/dog/000003.png"));
    let seen = scan(&index, &DecodeOptions::default(), 2, None, |_| {});
    let material = crate::Material { index: &index, scan: &seen, partition: None };
    assert!(crate::audit(&material).iter().all(|finding| finding.kind != "wrong_extension"));
}

#[test]
fn what_is_not_read_is_told() {
    let cut = |length: usize| {
        let bytes = fs::read(golden("snappy.parquet")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.parquet");
        fs::write(&path, &bytes[bytes.len() - length..]).unwrap();
        ParquetFile::open(&path, None, &Arc::default()).unwrap_err().to_string()
    };
    for (error, words) in [
        (cut(0), "too short"),
        (cut(8), "footer is longer than the file"),
        (picture(Place::Row(&open("delta.parquet").unwrap(), 0)).unwrap_err(), "encoded as DELTA_LENGTH_BYTE_ARRAY"),
        (open("nowhere.parquet").unwrap_err().to_string(), "No such file"),
    ] {
        assert!(error.contains(words), "{error}");
    }
    let table = open("hub/README.md").unwrap_err();
    assert!(matches!(table, ParquetError::Damaged { .. }), "{table}");
}

#[test]
fn zstd_is_unpacked_or_it_is_told_how() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(golden("zstd.parquet"), folder.path().join("zstd.parquet")).unwrap();
    match Index::read(&DataOptions::new(folder.path())) {
        Ok(index) if cfg!(feature = "zstd") => {
            let path = index.path(4);
            assert_eq!(picture(index.place(4, &path)).unwrap().pixel(0, 0), colour(4));
        }
        Err(error @ IndexError::Parquet(_)) if !cfg!(feature = "zstd") => {
            assert!(
                error.to_string().contains("packed with zstd") && error.help().contains("--features zstd"),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
}

/// As many changed files are tried, unless `AVIZOR_CHANGED_FILES` says how many; each is written, opened and read as a whole.
const CHANGED: u64 = 1_000;

#[test]
fn changed_files_are_read_or_refused() {
    // A panic of the library's is caught; its message would only fill the log.
    std::panic::set_hook(Box::new(|_| {}));
    let asked = std::env::var("AVIZOR_CHANGED_FILES").ok().map(|count| count.parse().expect("a number"));
    let all = asked.unwrap_or(CHANGED);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.parquet");
    let counts = std::panic::catch_unwind(|| {
        let (mut read, mut refused) = (0, 0);
        for (at, name) in ["snappy", "gzip", "none", "hub/data/train-00000-of-00002"].into_iter().enumerate() {
            let whole = fs::read(golden(&format!("{name}.parquet"))).unwrap();
            for round in 0..all.div_ceil(4) {
                let mut stream = Seed(11).stream(Purpose::Subset, [at as u64, round, 0]);
                let mut bytes = whole.clone();
                for _ in 0..1 + stream.below(3) {
                    // The footer, which is a fifth of a real file's bytes at most, is half of what is changed.
                    let from = if stream.below(2) == 0 { 0 } else { bytes.len() - bytes.len() / 3 };
                    let place = from + stream.below((bytes.len() - from) as u64) as usize;
                    bytes[place] = if stream.below(2) == 0 {
                        bytes[place] ^ (1 << stream.below(8))
                    } else {
                        stream.next_u32() as u8
                    };
                }
                fs::write(&path, &bytes).unwrap();
                match everything(&path) {
                    Ok(()) => read += 1,
                    Err(error) => {
                        assert!(!error.is_empty() && !error.contains('\n'), "{error}");
                        refused += 1;
                    }
                }
            }
        }
        (read, refused)
    });
    drop(std::panic::take_hook());
    let (read, refused) = counts.unwrap();
    eprintln!("changed files: {read} read, {refused} refused");
    assert!(read > 50 && refused > 500);
}

/// All texts and all pictures of a file, or the first reason that there are none.
fn everything(path: &std::path::Path) -> Result<(), String> {
    let file = ParquetFile::open(path, None, &Arc::default()).map_err(|error| error.to_string())?;
    let columns: Vec<&str> = file.columns().collect();
    let mut rows = 0;
    file.for_each_row(&columns, |row, _| rows = row + 1).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let mut outcome = Ok(());
    for row in 0..rows.min(1000) {
        if let Err(error) = file.read(row, 1 << 20, &mut bytes) {
            outcome = Err(error.to_string());
        }
        assert!(bytes.len() <= (1 << 20) + 1);
    }
    outcome
}
