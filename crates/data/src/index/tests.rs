use std::path::Path;

use super::*;

/// Makes files: `name` alone is the smallest thing that starts like a picture, `name=text` holds the text.
fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let (name, content) = file.split_once('=').unwrap_or((file, "\u{89}"));
        let path = folder.path().join(name);
        if name.ends_with('/') {
            std::fs::create_dir_all(&path).unwrap();
            continue;
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let content = if content == "\u{89}" { b"\xff\xd8\xff\xe0" } else { content.as_bytes() };
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn read(files: &[&str]) -> Result<Index, IndexError> {
    read_with(files, |_, _| {})
}

fn read_with(files: &[&str], change: impl FnOnce(&mut DataOptions, &Path)) -> Result<Index, IndexError> {
    let folder = folder(files);
    let mut options = DataOptions::new(folder.path());
    change(&mut options, folder.path());
    Index::read(&options)
}

/// One line a sample: name, class, group, part.
fn shown(index: &Index) -> Vec<String> {
    let line = |row| {
        let class = index.classes().name(index.label(row));
        let group = index.group(row).map_or(String::new(), |group| format!(" of {group}"));
        let part = index.given(row).map_or(String::new(), |part| format!(" in {part}"));
        format!("{} is {class}{group}{part}", index.name(row))
    };
    (0..index.len()).map(line).collect()
}

/// The message without the folder's changing name.
fn message(files: &[&str], change: impl FnOnce(&mut DataOptions, &Path)) -> String {
    let folder = folder(files);
    let mut options = DataOptions::new(folder.path());
    change(&mut options, folder.path());
    let error = Index::read(&options).unwrap_err();
    assert!(!error.help().is_empty());
    error.to_string().replace(&*folder.path().to_string_lossy(), "DATA")
}

#[test]
fn class_folders_with_junk() {
    let index = read(&[
        "dog/b.jpg",
        "dog/deep/a.PNG",
        "cat/c.jpg",
        "cat/.DS_Store=x",
        "cat/Thumbs.db=x",
        "__MACOSX/cat/._c.jpg",
        ".git/config=x",
        "cat/notes.txt=x",
        "cat/odd.jpg')",
        "cat/data.bin=abc",
        "loose.jpg",
        "labels.json={}",
        "empty/",
    ])
    .unwrap();
    assert_eq!(
        shown(&index),
        ["cat/c.jpg is cat", "cat/odd.jpg') is cat", "dog/b.jpg is dog", "dog/deep/a.PNG is dog"]
    );
    let counts: Vec<_> = index.ignored().iter().map(|(kind, mentioned)| (kind, mentioned.count)).collect();
    use IgnoredKind::*;
    assert_eq!(
        counts,
        [(Hidden, 2), (SystemJunk, 2), (Document, 2), (NotAPicture, 1), (EmptyClass, 1), (OutsideClasses, 1)]
    );
    assert_eq!(index.notes()[0].text, "labels from class folders");
    assert!(index.path(3).ends_with("dog/deep/a.PNG"));
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_circles_end() {
    use std::os::unix::fs::symlink;
    let folder = folder(&["a/x.jpg", "c/y.jpg", "far/z.jpg"]);
    let data = folder.path();
    symlink("x.jpg", data.join("a/link.jpg")).unwrap();
    symlink("missing.jpg", data.join("a/broken.jpg")).unwrap();
    symlink("self.jpg", data.join("a/self.jpg")).unwrap();
    symlink("..", data.join("a/loop")).unwrap();
    symlink(data.join("a"), data.join("b")).unwrap();
    std::os::unix::net::UnixListener::bind(data.join("a/pipe.jpg")).unwrap();
    let index = Index::read(&DataOptions::new(data)).unwrap();
    let names: Vec<_> = index.names().iter().collect();
    assert_eq!(names, ["a/link.jpg", "a/x.jpg", "b/link.jpg", "b/x.jpg", "c/y.jpg", "far/z.jpg"]);
    for (kind, count) in [(IgnoredKind::BrokenLink, 4), (IgnoredKind::LinkLoop, 2), (IgnoredKind::Special, 2)] {
        assert_eq!(index.ignored().count(kind), count, "{kind:?}");
    }
}

#[test]
fn parts_in_folders() {
    let index =
        read(&["train/a/1.jpg", "train/b/2.jpg", "validation/a/3.jpg", "TEST/b/4.jpg", "extra/c/5.jpg"]).unwrap();
    assert_eq!(
        shown(&index),
        [
            "TEST/b/4.jpg is b in test",
            "train/a/1.jpg is a in train",
            "train/b/2.jpg is b in train",
            "validation/a/3.jpg is a in val"
        ]
    );
    assert_eq!(index.ignored().count(IgnoredKind::OutsideClasses), 1);
}

#[test]
fn vehicles_may_have_a_class_called_train() {
    let index = read(&["train/1.jpg", "bus/2.jpg", "plane/3.jpg"]).unwrap();
    assert_eq!(index.classes().names(), ["bus", "plane", "train"]);
    assert!(!index.has_given());
}

#[test]
fn a_flat_test_part_takes_the_classes_of_train() {
    let files = ["train/bart/1.jpg", "train/moe_s/2.jpg", "test/bart_7.jpg", "test/moe_s_2.jpg", "test/other_1.jpg"];
    let wanted = [
        "test/bart_7.jpg is bart in test",
        "test/moe_s_2.jpg is moe_s in test",
        "train/bart/1.jpg is bart in train",
        "train/moe_s/2.jpg is moe_s in train",
    ];
    let auto = read(&files).unwrap();
    assert_eq!(shown(&auto), wanted);
    assert_eq!(auto.ignored().count(IgnoredKind::PatternMismatch), 1);
    let part = |path: &str, label| Some(PartSource { path: path.into(), label });
    let separate = |options: &mut DataOptions, _: &Path| {
        options.parts.train = part("train", LabelRule::Folder);
        options.parts.test = part("test", LabelRule::Pattern("{class}_{number}".parse().unwrap()));
    };
    let classes = |options: &mut DataOptions, data: &Path| {
        separate(options, data);
        options.classes = vec!["bart".into(), "moe_s".into()];
    };
    assert_eq!(shown(&read_with(&files, classes).unwrap()), wanted);
    assert_eq!(message(&files, separate), "class \"other\" is in test (1 pictures) but not in train");
}

#[test]
fn parts_elsewhere_are_named_by_their_part() {
    let test = folder(&["a/1.jpg", "b/1.jpg"]);
    let train = folder(&["a/1.jpg", "b/1.jpg"]);
    let mut options = DataOptions::new(train.path());
    let part = |path: &Path| Some(PartSource { path: path.to_owned(), label: LabelRule::Auto });
    options.parts = PartOptions { train: part(Path::new(".")), val: None, test: part(test.path()) };
    let index = Index::read(&options).unwrap();
    let names: Vec<_> = index.names().iter().collect();
    assert_eq!(names, ["test/a/1.jpg", "test/b/1.jpg", "train/a/1.jpg", "train/b/1.jpg"]);
    assert_eq!(index.path(0), test.path().join("a/1.jpg"));
    assert!((0..4).all(|row| index.path(row).is_file()));
}

#[test]
fn flat_names() {
    let files = ["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg"];
    assert_eq!(read(&files).unwrap().classes().names(), ["cat", "dog"]);
    let grouped = read_with(&["p1-cat-a.jpg", "p2-dog-b.jpg", "other.jpg"], |options, _| {
        options.label = LabelRule::Pattern("{group}-{class}-{any}".parse().unwrap());
    });
    assert_eq!(shown(&grouped.unwrap()), ["p1-cat-a.jpg is cat of p1", "p2-dog-b.jpg is dog of p2"]);
}

#[test]
fn one_folder_round_the_class_folders() {
    let index = read(&["images/a/1.jpg", "images/b/2.jpg"]).unwrap();
    assert_eq!(index.classes().names(), ["a", "b"]);
    assert_eq!(index.name(0), "images/a/1.jpg");
}

const TABLE: &str = "id,dx,patient,age,split\r\nx1,nv,p1,40,train\r\nx2,mel,p1,,train\r\nx3,nv,p2,50,test\r\nx9,nv,p3,9,train\r\nx1,mel,p1,1,train\r\n";

#[test]
fn a_table_beside_the_pictures() {
    for table in [TABLE.to_owned(), format!("\u{feff}{TABLE}"), TABLE.replace(',', ";"), TABLE.replace(',', "\t")] {
        let index = read_with(
            &["images/x1.jpg", "images/x2.jpg", "images/x3.png", "images/x4.jpg", &format!("t.csv={table}")],
            |options, _| {
                options.table.group = Some("patient".into());
                options.table.metadata = vec!["age".into()];
            },
        )
        .unwrap();
        assert_eq!(
            shown(&index),
            [
                "images/x1.jpg is nv of p1 in train",
                "images/x2.jpg is mel of p1 in train",
                "images/x3.png is nv of p2 in test"
            ]
        );
        let ages: Vec<_> = (0..3).map(|row| index.metadata()[0].values.get(row)).collect();
        assert_eq!(ages, ["40", "", "50"]);
        let report = index.table().unwrap();
        assert_eq!((report.rows, &*report.without_file.names), (5, &["x9".to_owned()][..]));
        assert_eq!(report.without_row.names, ["images/x4.jpg"]);
        assert_eq!(report.repeated.names, ["images/x1.jpg"]);
        assert_eq!(
            index.notes()[1].text,
            "t.csv: 1 rows without a picture (x9), 1 pictures without a row (images/x4.jpg), 1 rows that name a picture again (images/x1.jpg)"
        );
    }
}

#[test]
fn a_table_among_class_folders_is_read_only_when_asked_for() {
    let files = ["a/1.jpg", "b/2.jpg", "t.csv=file,label\na/1.jpg,x\nb/2.jpg,y\n"];
    let folders = read(&files).unwrap();
    assert_eq!(folders.classes().names(), ["a", "b"]);
    assert_eq!(folders.notes()[1].kind, "table_not_read");
    let table = read_with(&files, |options, data| options.path = data.join("t.csv")).unwrap();
    assert_eq!(table.classes().names(), ["x", "y"]);
    assert_eq!(table.name(0), "a/1.jpg");
}

#[test]
fn the_table_that_fits_best_is_taken() {
    let files = ["i/1.jpg", "i/2.jpg", "full.csv=id,label\n1,a\n2,b\n3,a\n", "part.csv=id,label\n1,b\n2,a\n"];
    assert!(read(&files).unwrap().notes()[0].text.starts_with("table part.csv"));
    let twice = ["i/1.jpg", "i/2.jpg", "s.csv=id,label\n1,a\n2,b\n", "t.csv=id,label\n1,b\n2,a\n"];
    assert_eq!(message(&twice, |_, _| {}), "DATA holds several tables that could be the labels: s.csv, t.csv");
}

#[test]
fn subset_rename_and_fraction() {
    let files: Vec<String> = (0..40).map(|n| format!("{}/{n}.jpg", ["a", "b", "c", "d"][n % 4])).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let change = |fraction: f64| {
        let index = read_with(&files, |options, _| {
            options.rename = vec![("d".into(), "a".into())];
            options.classes = vec!["a".into(), "b".into()];
            options.fraction = fraction;
        });
        index.unwrap()
    };
    assert_eq!(change(1.0).class_counts(), [20, 10]);
    assert_eq!(change(1.0).ignored().count(IgnoredKind::OtherClass), 10);
    let (half, fifth) = (change(0.5), change(0.2));
    assert_eq!((half.class_counts(), fifth.class_counts()), (vec![10, 5], vec![4, 2]));
    assert!(fifth.names().iter().all(|name| half.names().iter().any(|have| have == name)));
}

#[test]
fn a_model_brings_its_own_classes() {
    let folder = folder(&["b/1.jpg", "b/2.jpg"]);
    let options = DataOptions::new(folder.path());
    let classes = ClassList::from_ordered(vec!["c".into(), "b".into()]).unwrap();
    let index = Index::read_for(&options, &classes).unwrap();
    assert_eq!(index.class_counts(), [0, 2]);
    let others = ClassList::from_ordered(vec!["x".into(), "y".into()]).unwrap();
    assert_eq!(
        Index::read_for(&options, &others).unwrap_err().to_string(),
        "class \"b\" (2 pictures) is none of the model's classes"
    );
}

#[test]
fn mistakes_are_sentences() {
    let two = ["cat/1.jpg", "dog/2.jpg"];
    let table = ["1.jpg", "2.jpg", "t.csv=file,kind\n1.jpg,a\n2.jpg,b\n"];
    type Change = fn(&mut DataOptions, &Path);
    let plain: Change = |_, _| {};
    let cases: &[(&[&str], Change, &str)] = &[
        (&[], |options, data| options.path = data.join("nowhere"), "DATA/nowhere does not exist"),
        (
            &two,
            |options, data| options.path = data.join("cat/1.jpg"),
            "DATA/cat/1.jpg is neither a folder nor a table (CSV, TSV, JSON lines) nor a zip, tar or Parquet file",
        ),
        (&[], plain, "DATA is empty"),
        (
            &["a/x.txt=x", ".DS_Store=x"],
            plain,
            "DATA holds no picture; ignored: 1 hidden, 1 tables, texts and other files",
        ),
        (&["IMG_1.jpg", "IMG_2.jpg"], plain, "DATA holds 2 pictures and nothing that tells their classes"),
        (&["cat/1.jpg", "cat/2.jpg"], plain, "all 2 pictures of DATA belong to one class, \"cat\""),
        (&["val/a/1.jpg", "test/a/2.jpg"], plain, "DATA has a part for val and none for train"),
        (
            &["train/a/1.jpg", "train/b/1.jpg", "test/c/2.jpg"],
            plain,
            "class \"c\" is in test (1 pictures) but not in train",
        ),
        (
            &two,
            |options, _| options.classes = vec!["cta".into()],
            "`data.classes` names the class \"cta\", which no picture has",
        ),
        (
            &two,
            |options, _| options.rename = vec![("x".into(), "y".into())],
            "`data.rename` names the class \"x\", which no picture has",
        ),
        (&two, |options, _| options.fraction = 0.0, "`data.fraction` is 0, which is not above 0 and at most 1"),
        (
            &two,
            |options, _| options.label = LabelRule::Pattern("{class}.{number}".parse().unwrap()),
            "no file name in DATA fits the pattern \"{class}.{number}\"; the first is cat/1.jpg",
        ),
        (&table, |options, data| options.path = data.join("t.csv"), "no column of DATA/t.csv is known to be the class"),
        (
            &table,
            |options, _| {
                options.label = LabelRule::Column;
                options.table.label = Some("kin".into())
            },
            "DATA/t.csv has no column \"kin\"",
        ),
        (
            &["1.jpg", "t.csv=file,label\nx.jpg,a\n"],
            |options, data| options.path = data.join("t.csv"),
            "no column of DATA/t.csv leads to pictures in DATA",
        ),
        (
            &["1.jpg", "t.csv=file,label\nx.jpg,a\n"],
            |options, data| {
                options.path = data.join("t.csv");
                options.table.path = Some("file".into())
            },
            "none of the 1 rows of DATA/t.csv leads to a picture in DATA; the first is \"x.jpg\"",
        ),
        (
            &["1.jpg", "t.csv=file,label\n1.jpg,a\n1.jpg\n"],
            |options, data| options.path = data.join("t.csv"),
            "DATA/t.csv:3: the row has 1 fields and the first line names 2",
        ),
        (
            &["1.jpg", "t.csv=file,label\n"],
            |options, data| options.path = data.join("t.csv"),
            "DATA/t.csv: there is no row",
        ),
        (
            &["1.jpg", "t.csv=file,label,part\n1.jpg,a,sometimes\n"],
            |options, data| {
                options.path = data.join("t.csv");
                options.table.split = Some("part".into())
            },
            "DATA/t.csv:2: \"sometimes\" is none of train, val and test",
        ),
    ];
    for (files, change, wanted) in cases {
        assert_eq!(message(files, change), *wanted);
    }
}

#[test]
fn a_nearest_name_is_offered() {
    let error = read_with(&["cat/1.jpg", "dog/2.jpg"], |options, _| options.classes = vec!["Cats".into()]).unwrap_err();
    assert_eq!(error.help(), "the nearest name is \"cat\"");
}

#[test]
fn parts_with_tables_of_their_own_as_the_hub_has_them() {
    let lines = |names: &[(&str, &str)]| {
        let line =
            |(file, label): &(&str, &str)| format!("{{\"file_name\":\"{file}\",\"label\":\"{label}\",\"age\":3}}\n");
        names.iter().map(line).collect::<String>()
    };
    let train = lines(&[("1.jpg", "cat"), ("2.jpg", "dog"), ("3.jpg", "cat")]);
    let files = [
        "train/1.jpg",
        "train/2.jpg",
        "train/3.jpg",
        &format!("train/metadata.jsonl={train}"),
        "test/images/1.jpg",
        "test/metadata.csv=file_name,label,age\nimages/1.jpg,dog,\n",
    ];
    let index = read_with(&files, |options, _| options.table.metadata = vec!["age".into()]).unwrap();
    let rows: Vec<_> = (0..index.len())
        .map(|row| {
            (
                index.name(row),
                index.classes().name(index.label(row)),
                index.given(row),
                index.metadata()[0].values.get(row),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("test/images/1.jpg", "dog", Some(Split::Test), ""),
            ("train/1.jpg", "cat", Some(Split::Train), "3"),
            ("train/2.jpg", "dog", Some(Split::Train), "3"),
            ("train/3.jpg", "cat", Some(Split::Train), "3"),
        ]
    );
}

#[test]
fn the_class_may_be_the_column_that_is_one() {
    let table = "id,cat,dog,owl\n1,1,0,0\n2,0,1.0,0\n3,0,0,true\n4,1,1,0\n5,0,0,0\n6,1,0,0\n";
    let files = ["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg", &format!("t.csv={table}")];
    let hot = |options: &mut DataOptions, _: &Path| {
        options.label = LabelRule::Column;
        options.table.one_hot = ["cat", "dog", "owl"].map(str::to_owned).to_vec();
    };
    let index = read_with(&files, hot).unwrap();
    let labels: Vec<_> =
        (0..index.len()).map(|row| (index.name(row), index.classes().name(index.label(row)))).collect();
    assert_eq!(labels, [("1.jpg", "cat"), ("2.jpg", "dog"), ("3.jpg", "owl"), ("6.jpg", "cat")]);
    assert_eq!(index.table().unwrap().unlabelled.count, 2);
    assert!(index.notes()[0].text.contains("labels from the one of 3 columns that is 1"), "{:?}", index.notes());
}

#[test]
fn parts_may_lie_one_folder_further_down() {
    let files = ["set/train/a/1.jpg", "set/train/b/2.jpg", "set/test/a/3.jpg", "set/test/b/4.jpg"];
    let index = read(&files).unwrap();
    let wanted = [
        "set/test/a/3.jpg is a in test",
        "set/test/b/4.jpg is b in test",
        "set/train/a/1.jpg is a in train",
        "set/train/b/2.jpg is b in train",
    ];
    assert_eq!(shown(&index), wanted);
}
