//! Index, scan, split and audit of the real sets, against what is known of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod real_data;

use std::collections::BTreeSet;
use std::path::Path;

use avizor_base::{Finding, Split};
use avizor_data::decode::DecodeOptions;
use avizor_data::index::IgnoredKind;
use avizor_data::{DataOptions, Index, Material, Partition, SplitOptions, audit, scan, split};

struct Read {
    index: Index,
    partition: Partition,
    findings: Vec<Finding>,
}

fn read(path: &Path, change: impl FnOnce(&mut DataOptions)) -> Read {
    read_and_find_twins(path, false, change)
}

fn read_and_find_twins(path: &Path, twins: bool, change: impl FnOnce(&mut DataOptions)) -> Read {
    let mut options = DataOptions::new(path);
    change(&mut options);
    let index = Index::read(&options).unwrap();
    let mut scan = scan(&index, &DecodeOptions::default(), 2, None, |_| {});
    if twins {
        scan.find_twins(2, None);
    }
    let partition = split(&index, Some(&scan), &SplitOptions::default()).unwrap();
    let findings = audit(&Material { index: &index, scan: &scan, partition: Some(&partition) });
    Read { index, partition, findings }
}

impl Read {
    fn finding(&self, kind: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.kind == kind)
    }

    fn count(&self, kind: &str) -> u64 {
        self.finding(kind).map_or(0, |finding| finding.count)
    }

    fn sizes(&self) -> [usize; 3] {
        Split::ALL.map(|part| self.partition.rows(part).len())
    }

    /// Every class in every part.
    fn is_everywhere(&self) -> bool {
        self.partition.class_counts(&self.index).iter().flatten().all(|&count| count > 0)
    }

    fn note(&self, kind: &str) -> bool {
        self.index.notes().iter().chain(self.partition.notes()).any(|note| note.kind == kind)
    }
}

#[test]
fn caltech6() {
    let Some(folder) = real_data::folder("caltech6", "caltech6") else { return };
    let read = read(&folder.join("images"), |_| {});
    assert_eq!(read.index.classes().names(), ["Faces", "brain", "camera", "dollar_bill", "ketch", "watch"]);
    assert_eq!(read.index.class_counts(), [200, 98, 50, 52, 114, 239]);
    for (kind, count) in [("undecodable", 0), ("wrong_extension", 0), ("alpha", 0), ("gray", 35)] {
        assert_eq!(read.count(kind), count, "{kind}");
    }
    assert_eq!(read.count("exact_duplicate") + read.count("two_labels"), 0);
    assert_eq!(read.sizes().iter().sum::<usize>(), 753);
    assert!(read.is_everywhere());
}

#[test]
fn hymenoptera() {
    let Some(folder) = real_data::folder("hymenoptera", "hymenoptera") else { return };
    let read = read(&folder, |_| {});
    assert_eq!(read.index.class_counts(), [114, 121]);
    assert!(read.note("val_is_test"));
    assert_eq!(read.sizes(), [119, 26, 90]);
    assert_eq!(read.count("gray"), 2);
    assert_eq!(read.count("undecodable") + read.count("exact_duplicate") + read.count("across_splits"), 0);
}

#[test]
fn pokemon150() {
    let Some(folder) = real_data::folder("pokemon150", "pokemon150") else { return };
    let read = read(&folder, |_| {});
    assert_eq!((read.index.classes().len(), read.index.len()), (150, 3904));
    assert_eq!(read.sizes().iter().sum::<usize>(), 3893);
    for (kind, count) in [
        ("undecodable", 11),
        ("wrong_extension", 4),
        ("exact_duplicate", 7),
        ("two_labels", 5),
        ("across_splits", 0),
        ("alpha", 107),
    ] {
        assert_eq!(read.count(kind), count, "{kind}");
    }
    // Of 108 pictures with transparency one has it in its palette, which is not told.
    assert!(read.finding("undecodable").unwrap().groups.iter().all(|group| group[0].ends_with(".svg")));
    assert!(read.is_everywhere());
}

#[test]
fn simpsons64() {
    let Some(folder) = real_data::folder("simpsons64", "simpsons64") else { return };
    let read = read(&folder, |_| {});
    assert_eq!(read.index.classes().len(), 14);
    assert_eq!(read.partition.rows(Split::Test).len(), 700);
    assert_eq!(read.index.len(), 8691);
    assert!(read.note("val_from_train"));
    assert!(read.partition.class_counts(&read.index).iter().all(|counts| counts[2] == 50));
    for (kind, count) in
        [("undecodable", 0), ("gray", 8691), ("exact_duplicate", 15), ("two_labels", 0), ("across_splits", 2)]
    {
        assert_eq!(read.count(kind), count, "{kind}");
    }
    assert_eq!(read.index.ignored().count(IgnoredKind::Hidden), 1);
    let bart = ["test/bart_simpson_38.jpg", "train/bart_simpson/img1442.jpg"];
    assert!(read.finding("across_splits").unwrap().groups.iter().any(|group| *group == bart));
}

/// By their names, near-duplicates of the first sets: most were found before by hashes and by eye.
#[test]
fn near_duplicates() {
    let Some(folder) = real_data::folder("near_duplicates", "hymenoptera") else { return };
    let read = read_and_find_twins(&folder, true, |_| {});
    assert_eq!(["near_duplicate", "near_two_labels", "near_across_splits"].map(|kind| read.count(kind)), [0; 3]);

    let Some(folder) = real_data::folder("near_duplicates", "caltech6") else { return };
    let read = read_and_find_twins(&folder.join("images"), true, |_| {});
    let sets = &read.finding("near_duplicate").unwrap().groups;
    for pair in [
        ["ketch/image_0035.jpg", "ketch/image_0041.jpg"],
        ["watch/image_0172.jpg", "watch/image_0212.jpg"],
        ["watch/image_0173.jpg", "watch/image_0211.jpg"],
    ] {
        assert!(sets.iter().any(|set| pair.iter().all(|name| set.iter().any(|of| of == name))), "{pair:?}: {sets:?}");
    }
    // Slices of one brain and portraits before one wall are not far from one picture.
    assert!(sets.len() <= 12, "{sets:?}");
    assert_eq!(["near_two_labels", "near_across_splits"].map(|kind| read.count(kind)), [0; 2]);
}

/// Listing only: reading 60,000 files takes a test too long.
#[test]
fn cifar10() {
    let Some(folder) = real_data::folder("cifar10", "cifar10") else { return };
    let index = Index::read(&DataOptions::new(folder)).unwrap();
    assert_eq!(index.class_counts(), [6000; 10]);
    let partition = split(&index, None, &SplitOptions::default()).unwrap();
    assert_eq!(partition.rows(Split::Test).len(), 10_000);
    assert!(partition.class_counts(&index).iter().all(|counts| *counts == [4118, 882, 1000]));
}

#[test]
fn cifar10_small() {
    let Some(folder) = real_data::folder("cifar10_small", "cifar10-small") else { return };
    let read = read(&folder, |_| {});
    assert_eq!((read.index.classes().len(), read.partition.rows(Split::Test).len()), (10, 1000));
    assert_eq!(read.sizes().iter().sum::<usize>(), 5000);
    assert_eq!(read.count("gray"), 65);
    assert_eq!(read.count("exact_duplicate") + read.count("two_labels") + read.count("undecodable"), 0);
}

#[test]
fn ham10000() {
    let Some(folder) = real_data::folder("ham10000", "ham10000") else { return };
    let by_lesion = |options: &mut DataOptions| {
        options.table.group = Some("lesion_id".into());
        options.table.metadata = vec!["age".into(), "sex".into()];
    };
    // The folder alone: of the two tables, the one whose rows all have a picture is taken.
    let read = read(&folder, by_lesion);
    assert_eq!(read.index.classes().names(), ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]);
    assert_eq!(read.index.class_counts(), [250, 320, 421, 115, 420, 560, 142]);
    let lesions: BTreeSet<_> = (0..read.index.len()).map(|row| read.index.group(row).unwrap()).collect();
    assert_eq!(lesions.len(), 1484);
    assert_eq!((read.count("exact_duplicate"), read.count("group_across_splits")), (2, 0));
    assert!(read.is_everywhere());
    let [train, val, test] = read.sizes().map(|count| count as f64 / 2228.0);
    assert!((train - 0.70).abs() < 0.005 && (val - 0.15).abs() < 0.005 && (test - 0.15).abs() < 0.005);
    let empty = (0..read.index.len()).filter(|&row| read.index.metadata()[0].values.get(row).is_empty()).count();
    assert_eq!(empty, 8);
    let mut full = DataOptions::new(folder.join("HAM10000_metadata_full.csv"));
    full.table.label = Some("dx".into());
    let report = Index::read(&full).unwrap().table().unwrap().clone();
    assert_eq!((report.rows, report.without_file.count, report.without_row.count), (10_015, 7787, 0));
}

#[test]
fn odir() {
    let Some(folder) = real_data::folder("odir", "odir") else { return };
    let read = read(&folder, |options| options.table.group = Some("patient".into()));
    assert_eq!(read.index.class_counts(), [60, 80, 61, 50, 61, 61, 90]);
    assert_eq!(read.count("group_across_splits") + read.count("exact_duplicate") + read.count("undecodable"), 0);
    assert!(read.is_everywhere());
    assert_eq!(read.index.table().map(|table| table.without_row.count), Some(0));
}

#[test]
fn difficult() {
    let Some(folder) = real_data::folder("difficult", "difficult") else { return };
    let index = Index::read(&DataOptions::new(&folder)).unwrap();
    let scan = scan(&index, &DecodeOptions::default(), 2, None, |_| {});
    assert!(index.names().iter().any(|name| name == "junk/no_extension"));
    for (kind, count) in [(IgnoredKind::SystemJunk, 3), (IgnoredKind::EmptyClass, 1)] {
        assert_eq!(index.ignored().count(kind), count, "{kind:?}");
    }
    let findings = audit(&Material { index: &index, scan: &scan, partition: None });
    for kind in ["undecodable", "truncated", "two_labels", "wrong_extension", "animated", "cmyk", "exif_rotated"] {
        assert!(findings.iter().any(|finding| finding.kind == kind), "{kind}");
    }
}
