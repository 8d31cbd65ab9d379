use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::DataOptions;
use crate::decode::DecodeOptions;
use crate::tests_support::{png, write};

/// An index of files that need not be pictures; `class/group_n` with `-` for no group.
fn index(names: &[String]) -> (tempfile::TempDir, Index) {
    let folder = tempfile::tempdir().unwrap();
    let mut table = String::from("file,label,group\n");
    for name in names {
        write(folder.path(), &format!("{name}.jpg"), b"");
        let (class, rest) = name.split_once('/').unwrap();
        let group = rest.split_once('_').unwrap().0;
        table.push_str(&format!("{name}.jpg,{class},{}\n", if group == "-" { "" } else { group }));
    }
    write(folder.path(), "t.csv", table.as_bytes());
    let index = read(&folder.path().join("t.csv"));
    (folder, index)
}

fn read(table: &Path) -> Index {
    let mut options = DataOptions::new(table);
    options.table.group = Some("group".into());
    Index::read(&options).unwrap()
}

fn singles(class: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{class}/-_{n}")).collect()
}

fn by_name<'a>(index: &'a Index, partition: &Partition) -> BTreeMap<&'a str, Option<Split>> {
    (0..index.len()).map(|row| (index.name(row), partition.part(row))).collect()
}

#[test]
fn every_class_is_shared_out_by_the_ratios() {
    let names = [singles("a", 100), singles("b", 20), singles("c", 3), singles("d", 7)].concat();
    let (_folder, index) = index(&names);
    let partition = split(&index, None, &SplitOptions::default()).unwrap();
    assert_eq!(partition.class_counts(&index), [[70, 15, 15], [14, 3, 3], [1, 1, 1], [5, 1, 1]]);
    let other = SplitOptions { seed: Seed(1), ..SplitOptions::default() };
    assert_ne!(split(&index, None, &other).unwrap(), partition);
    let no_val = SplitOptions { ratios: [0.8, 0.0, 0.2], ..SplitOptions::default() };
    assert_eq!(split(&index, None, &no_val).unwrap().class_counts(&index)[..2], [[80, 0, 20], [16, 0, 4]]);
}

#[test]
fn a_large_group_goes_to_train_and_groups_stay_whole() {
    let mut names = singles("a", 40);
    names.extend((0..40).map(|n| format!("a/big_{n}")));
    names.extend(singles("b", 30));
    let (_folder, index) = index(&names);
    let partition = split(&index, None, &SplitOptions::default()).unwrap();
    let big: Vec<_> = (0..index.len()).filter(|&row| index.group(row).is_some()).collect();
    assert!(big.iter().all(|&row| partition.part(row) == Some(Split::Train)));
    assert_eq!(partition.class_counts(&index)[0], [56, 12, 12]);
    let apart = SplitOptions { keep_groups: false, ..SplitOptions::default() };
    let partition = split(&index, None, &apart).unwrap();
    assert!(big.iter().any(|&row| partition.part(row) != Some(Split::Train)));
}

#[test]
fn a_class_of_one_picture_is_an_error_and_of_two_a_note() {
    let (_one, index_of_one) = index(&[singles("a", 9), singles("b", 1)].concat());
    let error = split(&index_of_one, None, &SplitOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "class \"b\" has only 1 picture");
    let (_two, index_of_two) = index(&[singles("a", 9), singles("b", 2)].concat());
    let partition = split(&index_of_two, None, &SplitOptions::default()).unwrap();
    assert_eq!(partition.notes().len(), 1);
    assert_eq!(partition.notes()[0].kind, "missing_class_in_split");
    let wrong = SplitOptions { ratios: [0.5, 0.5, 0.5], ..SplitOptions::default() };
    assert_eq!(
        split(&index_of_two, None, &wrong).unwrap_err().to_string(),
        "`split.ratios` is [0.5, 0.5, 0.5], which are not three shares that add up to 1 with something for train"
    );
}

#[test]
fn equal_files_stay_on_one_side_and_broken_ones_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..30u8 {
        let class = ["a", "b"][usize::from(n) % 2];
        // Five files of each content, over both classes.
        write(folder.path(), &format!("{class}/{n:02}.png"), &png(2, 2, [n / 5, 0, 0]));
    }
    write(folder.path(), "a/broken.png", b"no");
    let index = Index::read(&DataOptions::new(folder.path())).unwrap();
    let scan = crate::scan(&index, &DecodeOptions::default(), 2, None, |_| {});
    let partition = split(&index, Some(&scan), &SplitOptions::default()).unwrap();
    let mut sides = BTreeMap::new();
    for row in 0..index.len() {
        match partition.part(row) {
            Some(part) => assert_eq!(*sides.entry(scan.record(row).hash).or_insert(part), part),
            None => assert_eq!(index.name(row), "a/broken.png"),
        }
    }
    assert_eq!(sides.len(), 6);
}

#[test]
fn given_parts_are_kept_and_the_missing_one_is_cut_from_train() {
    let classes = ["a", "b"];
    let made = |parts: &[(&str, usize)]| {
        let folder = tempfile::tempdir().unwrap();
        for (part, count) in parts {
            for n in 0..*count {
                write(folder.path(), &format!("{part}/{}/{n}.jpg", classes[n % 2]), b"");
            }
        }
        let index = Index::read(&DataOptions::new(folder.path())).unwrap();
        let partition = split(&index, None, &SplitOptions::default()).unwrap();
        let sizes = Split::ALL.map(|part| partition.rows(part).len());
        let kinds: Vec<String> = partition.notes().iter().map(|note| note.kind.clone()).collect();
        let in_place = (0..index.len()).filter(|&row| index.given(row) == partition.part(row)).count();
        (sizes, kinds.join(" "), in_place)
    };
    assert_eq!(made(&[("train", 40), ("val", 10)]), ([32, 8, 10], "val_is_test".into(), 32));
    assert_eq!(made(&[("train", 40), ("test", 10)]), ([32, 8, 10], "val_from_train".into(), 42));
    assert_eq!(made(&[("train", 40), ("val", 6), ("test", 10)]), ([40, 6, 10], String::new(), 56));
    assert_eq!(made(&[("train", 40)]).0, [28, 6, 6]);
}

#[test]
fn a_given_val_joins_the_folds_unless_it_is_test() {
    let made = |parts: &[(&str, usize)], number: usize| {
        let folder = tempfile::tempdir().unwrap();
        for (part, count) in parts {
            for n in 0..*count {
                write(folder.path(), &format!("{part}/{}/{n}.jpg", ["a", "b"][n % 2]), b"");
            }
        }
        let index = Index::read(&DataOptions::new(folder.path())).unwrap();
        let options = SplitOptions { fold: Some(Fold { of: 4, number }), ..SplitOptions::default() };
        let partition = split(&index, None, &options).unwrap();
        let tests: Vec<_> = partition.rows(Split::Test).iter().map(|&row| index.given(row as usize)).collect();
        (Split::ALL.map(|part| partition.rows(part).len()), tests.first().copied().flatten())
    };
    for number in 0..4 {
        assert_eq!(made(&[("train", 40), ("val", 10)], number), ([30, 10, 10], Some(Split::Val)));
        assert_eq!(made(&[("train", 40), ("val", 8), ("test", 10)], number), ([36, 12, 10], Some(Split::Test)));
        assert_eq!(made(&[("train", 40), ("test", 10)], number), ([30, 10, 10], Some(Split::Test)));
    }
}

/// Names of 2 to 4 classes with groups of uneven sizes, some over two classes.
fn names() -> impl Strategy<Value = Vec<String>> {
    let one = (0usize..4, 0usize..30, 0usize..1000);
    proptest::collection::btree_set(one, 12..90).prop_map(|set| {
        let mut names: Vec<String> =
            ["a/-_x", "a/-_y", "b/-_x", "b/-_y", "c/-_x", "c/-_y", "d/-_x", "d/-_y"].map(str::to_owned).to_vec();
        let name = |(class, group, n): (usize, usize, usize)| {
            let group = if group < 15 { "-".to_owned() } else { format!("g{group}") };
            format!("{}/{group}_{n}", ["a", "b", "c", "d"][class])
        };
        names.extend(set.into_iter().map(name));
        names.sort();
        names.dedup();
        names
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_are_complete_and_disjoint_groups_whole_and_classes_everywhere(names in names(), seed in 0u64..1000) {
        let (_folder, index) = index(&names);
        let options = SplitOptions { seed: Seed(seed), ..SplitOptions::default() };
        let partition = split(&index, None, &options).unwrap();
        prop_assert!(partition.parts().iter().all(Option::is_some));
        let mut sides = BTreeMap::new();
        let mut units = vec![std::collections::BTreeSet::new(); index.classes().len()];
        for row in 0..index.len() {
            let unit = index.group(row).unwrap_or(index.name(row));
            prop_assert_eq!(*sides.entry(unit).or_insert(partition.part(row)), partition.part(row));
            units[index.label(row).index()].insert(unit);
        }
        // A class with three units of its own or more is in every part.
        for (class, counts) in partition.class_counts(&index).iter().enumerate() {
            let own = units[class].iter().filter(|unit| unit.contains('/')).count();
            prop_assert!(own < 3 || counts.iter().all(|&count| count > 0), "{} of {own}: {counts:?}", class);
        }
    }

    #[test]
    fn every_unit_is_val_in_one_fold_and_test_in_all_or_none(names in names(), seed in 0u64..1000, of in 2usize..6) {
        let (_folder, index) = index(&names);
        let fold = |number| SplitOptions { seed: Seed(seed), fold: Some(Fold { of, number }), ..SplitOptions::default() };
        let folds: Vec<Partition> = (0..of).map(|number| split(&index, None, &fold(number)).unwrap()).collect();
        let mut sides = BTreeMap::new();
        for row in 0..index.len() {
            let parts: Vec<_> = folds.iter().map(|partition| partition.part(row)).collect();
            let count = |part| parts.iter().filter(|&&of| of == Some(part)).count();
            prop_assert!(matches!([Split::Train, Split::Val, Split::Test].map(count), [_, 1, 0] | [0, 0, _]), "{parts:?}");
            let unit = index.group(row).unwrap_or(index.name(row));
            prop_assert_eq!(sides.entry(unit).or_insert(parts.clone()), &parts);
        }
        // Folds are of equal size but for what a unit more or less makes in each class.
        let largest = (0..index.len()).map(|row| {
            let unit = index.group(row);
            (0..index.len()).filter(|&other| other == row || unit.is_some() && index.group(other) == unit).count()
        });
        let slack = index.classes().len() * largest.max().unwrap_or(1);
        let sizes: Vec<usize> = folds.iter().map(|partition| partition.rows(Split::Val).len()).collect();
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 2 * slack, "{sizes:?}");
    }

    #[test]
    fn one_more_picture_moves_at_most_two_others(count in 12usize..80, seed in 0u64..1000, new in 0usize..10_000) {
        let names = [singles("a", count), singles("b", 25)].concat();
        let options = SplitOptions { seed: Seed(seed), ..SplitOptions::default() };
        let (folder, before) = index(&names);
        let first = split(&before, None, &options).unwrap();
        drop(folder);
        let more = [names, vec![format!("a/-_new{new}")]].concat();
        let (_folder, after) = index(&more);
        let second = split(&after, None, &options).unwrap();
        let (old, now) = (by_name(&before, &first), by_name(&after, &second));
        let moved = old.iter().filter(|(name, part)| now[*name] != **part).count();
        prop_assert!(moved <= 2, "{moved} moved");
        prop_assert!(old.iter().all(|(name, part)| name.starts_with('a') || now[name] == *part));
    }
}

#[test]
fn a_given_split_that_leaks_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = String::from("file,label,split,group\n");
    for n in 0..24u8 {
        let (class, part) = (["a", "b"][usize::from(n) % 2], ["train", "train", "val", "test"][usize::from(n) / 2 % 4]);
        // 1 and 6 are one picture, 4 and 7 of one group; 16, 20 and 22 are one picture in train, val and test.
        let colour = match n {
            6 => 1,
            20 | 22 => 16,
            n => n,
        };
        let group = if [4, 7].contains(&n) { "g" } else { "" };
        write(folder.path(), &format!("{n:02}.png"), &png(2, 2, [colour, 0, 0]));
        table.push_str(&format!("{n:02}.png,{class},{part},{group}\n"));
    }
    write(folder.path(), "t.csv", table.as_bytes());
    let index = read(&folder.path().join("t.csv"));
    let scan = crate::scan(&index, &DecodeOptions::default(), 2, None, |_| {});
    let kept = split(&index, Some(&scan), &SplitOptions::default()).unwrap();
    assert!(kept.parts().iter().all(Option::is_some));
    let mended = split(&index, Some(&scan), &SplitOptions { repair: true, ..SplitOptions::default() }).unwrap();
    let gone: Vec<&str> =
        (0..index.len()).filter(|&row| mended.part(row).is_none()).map(|row| index.name(row)).collect();
    assert_eq!(gone, ["01.png", "04.png", "16.png", "20.png"]);
    let words = "left out are 2 pictures of train and 2 of val";
    assert!(mended.notes().iter().any(|note| note.text.contains(words)), "{:?}", mended.notes());
    let same = |row: usize| mended.part(row).is_none_or(|part| kept.part(row) == Some(part));
    assert!((0..index.len()).all(same));
}
