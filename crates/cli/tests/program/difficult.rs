//! Awkward real files through every command: each is answered or refused by name, and nothing else suffers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::{Sandbox, quick_train};

/// The set of 354 files, unpacked under `AVIZOR_DATA`; a note, or a failure where it is required, without it.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("AVIZOR_DATA").map(|root| PathBuf::from(root).join("difficult"));
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        let required = std::env::var_os("AVIZOR_REQUIRE_DATA").is_some_and(|value| value == "1");
        assert!(!required, "difficult files need AVIZOR_DATA/difficult");
        eprintln!("skipped: difficult files need AVIZOR_DATA/difficult");
    }
    found
}

/// Folders of which no picture, or one alone, can be read are no classes.
const CLASSES: &str = "data.rename={class_a=\"plain\",unsupported=\"plain\",bombs=\"plain\"}";

#[test]
fn difficult_files_are_audited_trained_on_and_asked_about() {
    let Some(folder) = folder() else { return };
    let path = folder.to_str().unwrap();
    let sandbox = Sandbox::new();
    let audit: Value = serde_json::from_str(&sandbox.succeed(&["audit", path, "--json", "--set", CLASSES])).unwrap();
    let count = |kind: &str| {
        let mut findings = audit["findings"].as_array().unwrap().iter();
        findings.find(|finding| finding["kind"] == kind).map_or(0, |finding| finding["count"].as_u64().unwrap())
    };
    assert!(count("undecodable") > 40 && count("truncated") > 0, "{audit}");
    let trained = sandbox.run(&quick_train(path, &["--set", "train.epochs=1", "--set", CLASSES]));
    assert_eq!(trained.code, Some(0), "{}", trained.err);
    let table = expected(&folder);
    // Hidden ones too, and those that no audit takes for pictures.
    assert_eq!(table.len(), 354);
    let run = sandbox.the_run();
    let files: Vec<String> = table.keys().map(|file| format!("{path}/{file}")).collect();
    let mut arguments = vec!["predict", &run, "--json", "--top", "1"];
    arguments.extend(files.iter().map(String::as_str));
    let asked = sandbox.run(&arguments);
    assert_eq!(asked.code, Some(1), "{}", asked.err);
    assert_eq!(asked.out.lines().count(), 354);
    let (mut answered, mut wrong) = (0, Vec::new());
    for line in asked.out.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let file = line["path"].as_str().unwrap().strip_prefix(path).unwrap().trim_start_matches('/');
        let expected = &table[file];
        let is_answered = line["error"].is_null();
        answered += usize::from(is_answered);
        let text = line["error"].as_str().unwrap_or_default();
        let fits = match expected.as_str() {
            "yes" => is_answered,
            "no" => !is_answered && !text.is_empty() && !text.contains('\n'),
            _ => true,
        };
        if !fits {
            wrong.push(format!("{file} ({expected}): {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    eprintln!("difficult: {answered} of 354 answered, {} undecodable in the audit", count("undecodable"));
}

/// Every file of the set, and whether it should be decoded.
fn expected(folder: &Path) -> BTreeMap<String, String> {
    let mut table = csv::Reader::from_path(folder.join("expected.csv")).unwrap();
    table.records().map(|line| line.unwrap()).map(|line| (line[0].to_owned(), line[2].to_owned())).collect()
}
