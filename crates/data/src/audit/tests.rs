use std::path::Path;

use super::*;
use crate::decode::DecodeOptions;
use crate::tests_support::{JPEG, noise_png, png, write};
use crate::{DataOptions, Index, SplitOptions, scan, split};
use avizor_base::{Trust, Verdict};

/// Two classes of twelve different pictures each, and what a case adds.
fn findings(change: impl FnOnce(&Path)) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..24 {
        write(folder.path(), &format!("{}/{n}.png", ["a", "b"][n as usize % 2]), &noise_png(20, 30, n));
    }
    change(folder.path());
    findings_on(&DataOptions::new(folder.path()))
}

fn findings_on(options: &DataOptions) -> Vec<Finding> {
    let index = Index::read(options).unwrap();
    let mut scan = scan(&index, &DecodeOptions::default(), 2, None, |_| {});
    scan.find_twins(2, None);
    let partition = split(&index, Some(&scan), &SplitOptions::default()).unwrap();
    audit(&Material { index: &index, scan: &scan, partition: Some(&partition) })
}

fn kinds(findings: &[Finding]) -> Vec<(&str, u64)> {
    findings.iter().map(|finding| (finding.kind.as_str(), finding.count)).collect()
}

/// The same pixels in another file.
fn as_bmp(png: &[u8]) -> Vec<u8> {
    encoded(image::ImageFormat::Bmp, image::load_from_memory(png).unwrap())
}

/// Neighbours differ, and after a blur they still do.
fn slope(x: u32, y: u32) -> image::Rgb<u8> {
    image::Rgb([(2 * x + y) as u8, (x + 2 * y) as u8, 90])
}

fn encoded(format: image::ImageFormat, picture: impl Into<image::DynamicImage>) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn a_clean_folder_has_no_finding() {
    assert_eq!(kinds(&findings(|_| {})), []);
}

#[test]
fn each_fault_is_found_and_no_other() {
    type Fault = fn(&Path);
    let cases: &[(&[(&str, u64)], Fault)] = &[
        (&[("undecodable", 2)], |data| {
            write(data, "a/x.jpg", b"");
            write(data, "b/page.jpg", b"<!DOCTYPE html>");
        }),
        (&[("truncated", 1)], |data| write(data, "a/x.jpg", &JPEG[..JPEG.len() - 20])),
        (&[("exact_duplicate", 1)], |data| write(data, "a/x.png", &noise_png(20, 30, 0))),
        (&[("exact_duplicate", 1), ("wrong_extension", 1)], |data| {
            write(data, "a/x.png", &as_bmp(&noise_png(20, 30, 0)))
        }),
        (&[("blurred", 1)], |data| {
            write(data, "a/x.png", &encoded(image::ImageFormat::Png, image::RgbImage::from_fn(60, 40, slope)));
        }),
        (&[("two_labels", 1)], |data| write(data, "b/x.png", &noise_png(20, 30, 0))),
        (&[("blank", 1)], |data| write(data, "a/x.png", &png(20, 30, [200, 10, 10]))),
        (&[("blank", 1), ("gray", 1)], |data| write(data, "a/x.png", &png(20, 30, [7, 7, 8]))),
        (&[("odd_shape", 1)], |data| write(data, "a/x.png", &noise_png(20, 90, 99))),
        (&[], |data| write(data, "a/x.png", &noise_png(20, 60, 99))),
        (&[("wrong_extension", 2)], |data| {
            write(data, "a/x.jpg", &noise_png(20, 30, 99));
            write(data, "a/nameless", &noise_png(20, 30, 98));
        }),
        (&[], |data| write(data, "a/x.PNG", &noise_png(20, 30, 99))),
        (&[("alpha", 1)], |data| {
            let pixel = |x: u32, y: u32| image::Rgba([(x * 97) as u8, (y * 151) as u8, 9, 255 - x as u8]);
            write(data, "a/x.png", &encoded(image::ImageFormat::Png, image::RgbaImage::from_fn(30, 20, pixel)));
        }),
        (&[("imbalance", 1)], |data| {
            (0..12).for_each(|n| write(data, &format!("a/x{n}.png"), &noise_png(20, 30, 100 + n)))
        }),
        (&[("missing_class_in_split", 1), ("tiny_class", 1), ("imbalance", 1)], |data| {
            (0..2).for_each(|n| write(data, &format!("c/x{n}.png"), &noise_png(20, 30, 100 + n)));
        }),
        (&[("ignored_file", 3)], |data| {
            write(data, "a/Thumbs.db", b"x");
            write(data, "a/.DS_Store", b"x");
            write(data, "b/notes.txt", b"x");
        }),
    ];
    for (number, (wanted, fault)) in cases.iter().enumerate() {
        let findings = findings(fault);
        assert_eq!(kinds(&findings), *wanted, "case {number}: {findings:?}");
    }
}

#[test]
fn what_lies_on_both_sides_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = String::from("file,label,patient,split\n");
    for n in 0..24 {
        let name = format!("{n}.png");
        write(folder.path(), &name, &noise_png(20, 30, if n == 23 { 3 } else { n }));
        let (class, part) = (["a", "b"][n as usize % 2], ["train", "val", "test", "train"][n as usize / 6]);
        let patient = if n == 6 { 5 } else { n };
        table.push_str(&format!("{name},{class},p{patient},{part}\n"));
    }
    table.push_str("30.png,a,p,train\n");
    write(folder.path(), "t.csv", table.replace("\n3.png,b,p3,train", "\n3.png,b,p3,test").as_bytes());
    let mut options = DataOptions::new(folder.path());
    options.table.group = Some("patient".into());
    let findings = findings_on(&options);
    assert_eq!(
        kinds(&findings),
        [
            ("across_splits", 1),
            ("group_across_splits", 1),
            ("table_mismatch", 1),
            ("exact_duplicate", 1),
            ("ignored_file", 1)
        ]
    );
    let groups = |kind| &findings.iter().find(|finding| finding.kind == kind).unwrap().groups;
    assert_eq!(*groups("across_splits"), [["23.png", "3.png"]]);
    assert_eq!(*groups("group_across_splits"), [["5.png", "6.png"]]);
}

#[test]
fn the_worst_comes_first() {
    let findings = findings(|data| {
        (0..12).for_each(|n| write(data, &format!("a/x{n}.png"), &noise_png(20, 30, 100 + n)));
        write(data, "a/again.png", &noise_png(20, 30, 0));
        write(data, "a/empty.jpg", b"");
    });
    assert_eq!(kinds(&findings), [("undecodable", 1), ("exact_duplicate", 1), ("imbalance", 1)]);
}

#[test]
fn only_equal_files_are_told_as_equal() {
    let findings = findings(|data| {
        write(data, "a/again.png", &noise_png(20, 30, 0));
        for name in ["a/.DS_Store", "b/.DS_Store", "a/notes.txt", "b/labels.csv"] {
            write(data, name, b"x");
        }
    });
    let ignored = findings.iter().find(|finding| finding.kind == "ignored_file").unwrap();
    assert_eq!((ignored.count, ignored.reasons()), (4, Some(2)));
    let cases: Vec<String> = findings.iter().flat_map(|finding| finding.cases(str::to_owned)).collect();
    assert_eq!(
        cases,
        [
            "a/0.png = a/again.png",
            "2 hidden: a/.DS_Store, b/.DS_Store",
            "2 tables, texts and other files: a/notes.txt, b/labels.csv"
        ]
    );
}

#[test]
fn a_finding_names_files_and_says_why() {
    let finding = Finding {
        kind: "undecodable".into(),
        severity: Severity::Error,
        count: 1,
        groups: vec![vec!["a/x.jpg".into()]],
        details: vec!["is empty".into()],
        why: "these files cannot be read and are left out; none is replaced".into(),
        advice: "remove them, convert them, or fetch them again".into(),
    };
    assert_eq!(findings(|data| write(data, "a/x.jpg", b"")), [finding]);
}

/// The verdict on pictures in given parts, `table` naming each with its class, part and patient.
fn verdict_on(pictures: &[(&str, Vec<u8>)], table: &str) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    pictures.iter().for_each(|(name, bytes)| write(folder.path(), name, bytes));
    write(folder.path(), "t.csv", format!("file,label,split,patient\n{table}").as_bytes());
    let mut options = DataOptions::new(folder.path());
    options.table.group = Some("patient".into());
    let index = Index::read(&options).unwrap();
    let mut scan = scan(&index, &DecodeOptions::default(), 2, None, |_| {});
    scan.find_twins(2, None);
    let partition = split(&index, Some(&scan), &SplitOptions::default()).unwrap();
    let material = Material { index: &index, scan: &scan, partition: Some(&partition) };
    verdict(&material, &audit(&material)).unwrap()
}

#[test]
fn the_verdict_says_whether_an_evaluation_would_be_worth_anything() {
    let pictures: Vec<(String, Vec<u8>)> = (0..9).map(|n| (format!("{n}.png"), noise_png(40, 50, n))).collect();
    let pictures: Vec<(&str, Vec<u8>)> = pictures.iter().map(|(name, bytes)| (&name[..], bytes.clone())).collect();
    let clean = "0.png,a,train,p0\n1.png,b,train,p1\n2.png,a,train,p2\n3.png,b,train,p3\n\
                 4.png,a,val,p4\n5.png,b,val,p5\n6.png,a,test,p6\n7.png,b,test,p7\n";
    let none =
        "none of the 2 test pictures has a picture in train or val that is equal or nearly so, nor one of its group";
    let said = |verdict: Verdict| (verdict.evaluation, verdict.sentence);
    assert_eq!(said(verdict_on(&pictures, clean)), (Trust::Valid, none.to_owned()));

    let group = clean.replace("7.png,b,test,p7", "7.png,b,test,p1");
    let words = "1 of 2 test pictures (50.0 %) is in train or val too, of one group: the result would be too good";
    assert_eq!(said(verdict_on(&pictures, &group)), (Trust::NotValid, words.to_owned()));

    let mut copied = pictures.clone();
    copied[6].1 = as_bmp(&noise_png(40, 50, 5));
    let words = words.replace("of one group", "equal");
    assert_eq!(said(verdict_on(&copied, clean)), (Trust::NotValid, words));

    let mut two_labels = pictures.clone();
    two_labels[1].1 = noise_png(40, 50, 0);
    let words = format!("1 picture has two labels; but {none}");
    assert_eq!(said(verdict_on(&two_labels, clean)), (Trust::Doubtful, words));

    let rows: Vec<&str> = clean.lines().filter(|row| !row.contains("7.png")).collect();
    let (trust, sentence) = said(verdict_on(&pictures, &rows.join("\n")));
    assert_eq!(trust, Trust::Doubtful);
    assert!(sentence.starts_with("a class is missing in a part; but none of the 1 test picture has"), "{sentence}");
}

#[test]
fn what_tells_classes_beside_the_subject_is_a_shortcut() {
    let clues = |picture: fn(u32, bool) -> Vec<u8>| {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..40 {
            write(folder.path(), &format!("{}/{n}.png", ["a", "b"][n as usize % 2]), &picture(n, n % 2 == 0));
        }
        let findings = findings_on(&DataOptions::new(folder.path()));
        findings.iter().find(|finding| finding.kind == "shortcut").map(|finding| finding.details.clone())
    };
    assert_eq!(clues(|n, _| noise_png(20, 30, n)), None);
    let told = |clue: &str| {
        format!("by {clue} alone, the class of 100 % of the pictures can be told; always saying a is right for 50 %")
    };
    let turned = clues(|n, a| if a { noise_png(20, 30, n) } else { noise_png(30, 20, n) });
    assert!(turned.is_some_and(|details| details.contains(&told("width and height"))));
    // A class of nearly all is told by saying nothing else: no shortcut.
    let folder = tempfile::tempdir().unwrap();
    (0..44).for_each(|n| {
        write(folder.path(), &format!("{}/{n}.png", if n < 4 { "a" } else { "b" }), &noise_png(20, 30, n))
    });
    let findings = findings_on(&DataOptions::new(folder.path()));
    assert!(findings.iter().all(|finding| finding.kind != "shortcut"), "{findings:?}");
    let framed = |n, a: bool| {
        let mut picture = image::load_from_memory(&noise_png(20, 30, n)).unwrap().to_rgb8();
        let colour = image::Rgb([if a { 250 } else { 200 }; 3]);
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            if x % 29 == 0 || y % 19 == 0 {
                *pixel = colour;
            }
        }
        encoded(image::ImageFormat::Png, picture)
    };
    assert!(clues(framed).is_some_and(|details| details.contains(&told("border colour"))));
}

#[test]
fn one_thing_with_two_names_is_told() {
    let details = |change: fn(&Path)| {
        let findings = findings(change);
        findings.iter().find(|finding| finding.kind == "lookalike_classes").map(|finding| finding.details.clone())
    };
    assert_eq!(
        details(|data| copies(data, "A.", 1)),
        Some(vec!["A. and a have 1 picture in common, of 12".to_owned()])
    );
    assert_eq!(details(|data| copies(data, "a_easy", 2)), None);
    assert!(details(|data| copies(data, "a_easy", 3)).is_some());
    assert_eq!(details(|data| copies(data, "other", 3)), None);
    assert!(details(|data| copies(data, "other", 4)).is_some());
}

/// A class of twelve pictures, of which some are those of class `a` too.
fn copies(data: &Path, class: &str, count: u32) {
    (0..count).for_each(|n| write(data, &format!("{class}/x{n}.png"), &noise_png(20, 30, 2 * n)));
    (count..12).for_each(|n| write(data, &format!("{class}/x{n}.png"), &noise_png(20, 30, 200 + n)));
}
