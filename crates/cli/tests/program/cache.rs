//! What is remembered of pictures from one run to the next.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Sandbox, quick_train};

fn held(sandbox: &Sandbox) -> (u64, u64) {
    let said: Value = serde_json::from_str(&sandbox.succeed(&["data", "cache", "--json"])).unwrap();
    let of = |member: &str| said["held"][member].as_u64().unwrap();
    (of("files"), of("bytes"))
}

#[test]
fn a_second_run_decodes_nothing_and_says_the_same() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("cat", 12), ("dog", 12)]);
    sandbox.succeed(&["audit", "photos", "--no-cache"]);
    assert_eq!(held(&sandbox), (0, 0), "--no-cache leaves nothing behind");
    let first = sandbox.succeed(&["audit", "photos", "--json"]);
    let (files, bytes) = held(&sandbox);
    assert_eq!(files, 2, "the pictures of one rule, and the near-duplicates of one set");
    assert_eq!(first, sandbox.succeed(&["audit", "photos", "--json"]));
    assert_eq!(held(&sandbox), (files, bytes));

    // A run of the pictures anew, one that remembers them, and one that is told.
    let predictions: Vec<String> = [&["--no-cache"][..], &[], &[]]
        .into_iter()
        .enumerate()
        .map(|(number, more)| {
            sandbox.succeed(&quick_train("photos", &[&["--runs", &format!("runs{number}")], more].concat()));
            let runs = sandbox.path(&format!("runs{number}"));
            let run = fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
            fs::read_to_string(run.join("predictions/val.csv")).unwrap()
        })
        .collect();
    assert!(predictions.iter().all(|of| *of == predictions[0]));
    assert_eq!(held(&sandbox).0, 3, "another size is another rule");

    let said = sandbox.succeed(&["data", "cache", "--clear"]);
    assert!(said.contains("in 3 files removed"), "{said}");
    assert_eq!(held(&sandbox), (0, 0));
}
