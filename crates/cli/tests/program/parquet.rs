//! Pictures in the rows of Parquet files, through every command.

use std::path::Path;

use crate::sandbox::{Sandbox, files, quick_train};

/// Five pictures a class for train and more, as pyarrow wrote them: see `scripts/golden_parquet.py`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/tests/golden/parquet");
    for (from, to) in [("none.parquet", "pets.parquet"), ("gzip.parquet", "more.parquet")] {
        sandbox.write(to, std::fs::read(golden.join(from)).unwrap());
    }
    for name in files(&golden.join("hub")) {
        sandbox.write(&format!("hub/{name}"), std::fs::read(golden.join("hub").join(&name)).unwrap());
    }
    sandbox
}

#[test]
fn rows_are_audited_split_trained_and_asked() {
    let sandbox = sandbox();
    let audit: serde_json::Value = serde_json::from_str(&sandbox.succeed(&["audit", "hub", "--json"])).unwrap();
    assert_eq!(audit["samples"], 17);
    let kinds: Vec<&str> =
        audit["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"undecodable") && kinds.contains(&"table_mismatch"), "{kinds:?}");
    assert!(!kinds.contains(&"wrong_extension"), "{kinds:?}");
    let label = "data.label_column=species";
    sandbox.succeed(&["split", "pets.parquet", "--set", label, "--out", "split.csv", "--materialize", "folders"]);
    assert_eq!(files(&sandbox.path("folders")).len(), 19);
    assert!(std::fs::read_to_string(sandbox.path("split.csv")).unwrap().contains("pets.parquet/000019"));
    sandbox.succeed(&quick_train("hub", &["--set", "split.duplicates_together=false"]));
    let run = sandbox.the_run();
    let asked = sandbox.succeed(&["predict", &run, "more.parquet", "--json", "--top", "1"]);
    assert_eq!(asked.lines().count(), 20);
    assert!(asked.starts_with("{\"path\":\"more.parquet/000000\",\"top\":[{\"class\":"), "{asked}");
    let evaluated = sandbox.succeed(&["eval", &run, "pets.parquet"]);
    assert!(evaluated.contains("n = 19"), "{evaluated}");
    sandbox.succeed(&["decide", "pets.parquet", "exclude", "pets.parquet/000001"]);
    let audit: serde_json::Value =
        serde_json::from_str(&sandbox.succeed(&["audit", "pets.parquet", "--json"])).unwrap();
    assert_eq!(audit["samples"], 18);
}

#[test]
fn a_zip_of_pictures_is_asked_about_too() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 8), ("green", 8)]);
    sandbox.succeed(&quick_train("photos", &[]));
    let run = sandbox.the_run();
    let mut tar = Vec::new();
    for (name, bytes) in [("new/1.png", crate::sandbox::picture(0, 90)), ("new/notes.txt", b"none".to_vec())] {
        tar.extend(entry(name, &bytes));
    }
    tar.extend([0; 1024]);
    sandbox.write("new.tar", tar);
    let asked = sandbox.succeed(&["predict", &run, "new.tar"]);
    assert!(asked.starts_with("new.tar/new/1.png: ") && asked.lines().count() == 1, "{asked}");
}

/// A file in a tar: a header (POSIX.1-1988, "ustar") and the bytes, in blocks of 512.
fn entry(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644");
    put(124, &format!("{:011o}", bytes.len()));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\u{0}00");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header.extend_from_slice(bytes);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}
