//! What is said of pictures before training, and what a person decides about them.

use crate::sandbox::{Sandbox, picture, quick_train};

/// Two classes, one copy in each direction, one file that is no picture.
fn faulty() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 12), ("green", 12)]);
    sandbox.write("photos/blue/again.png", picture(0, 3));
    sandbox.write("photos/green/strange.png", picture(0, 5));
    sandbox.write("photos/green/page.jpg", b"<!DOCTYPE html><html></html>");
    sandbox
}

fn audit(sandbox: &Sandbox) -> serde_json::Value {
    serde_json::from_str(&sandbox.succeed(&["audit", "photos", "--json"])).unwrap()
}

fn counts(audit: &serde_json::Value) -> Vec<(String, u64)> {
    let of = |finding: &serde_json::Value| {
        (finding["kind"].as_str().unwrap().to_owned(), finding["count"].as_u64().unwrap())
    };
    audit["findings"].as_array().unwrap().iter().map(of).collect()
}

fn count(audit: &serde_json::Value, kind: &str) -> u64 {
    counts(audit).iter().find(|(have, _)| have == kind).map_or(0, |(_, count)| *count)
}

#[test]
fn the_verdict_comes_first_and_a_page_shows_what_was_found() {
    let sandbox = faulty();
    let text = sandbox.succeed(&["audit", "photos", "--html", "pages/audit.html"]);
    assert!(text.starts_with("An evaluation on these pictures is doubtful: 1 picture has two labels"), "{text}");
    assert!(text.ends_with("\npage: pages/audit.html\n"), "{text}");
    let page = std::fs::read_to_string(sandbox.path("pages/audit.html")).unwrap();
    for words in [
        "doubtful",
        "Two labels",
        "green/strange.png",
        "data:image/png;base64,",
        "27\u{a0}pictures in 2 classes",
        "not readable",
    ] {
        assert!(page.contains(words), "{words} is missing");
    }
    assert!(!page.contains("<script") && !page.contains("src=\"http"), "the page needs nothing else");
    let audit = audit(&sandbox);
    assert_eq!(audit["verdict"]["evaluation"], "doubtful");
    assert_eq!(audit["pictures"]["formats"]["PNG"], 26);
    assert_eq!(audit["pictures"]["height"]["max"], 16);
}

#[test]
fn pictures_that_cannot_be_shared_out_are_looked_at_all_the_same() {
    let sandbox = faulty();
    sandbox.write("photos/red/page.jpg", b"<!DOCTYPE html><html></html>");
    sandbox.write("photos/red/one.png", picture(2, 1));
    let audit = audit(&sandbox);
    assert_eq!(audit["verdict"]["evaluation"], "not_valid");
    assert_eq!(audit["verdict"]["sentence"], "class \"red\" has only 1 picture (1 cannot be read)");
    assert_eq!([count(&audit, "undecodable"), count(&audit, "two_labels"), count(&audit, "tiny_class")], [2, 1, 1]);
    sandbox.succeed(&["audit", "photos", "--html", "page.html"]);
    // Who needs parts is told so, and what to do.
    for command in [&["split", "photos"][..], &["train", "photos"]] {
        let said = sandbox.run(command);
        assert_ne!(said.code, Some(0), "{}", said.out);
        assert!(said.err.contains("class \"red\" has only 1 picture (1 cannot be read)"), "{}", said.err);
        assert!(said.err.contains("data.rename"), "{}", said.err);
    }
}

#[test]
fn what_is_decided_holds_until_it_is_undone() {
    let sandbox = faulty();
    let before = audit(&sandbox);
    assert_eq!(
        [count(&before, "two_labels"), count(&before, "exact_duplicate"), count(&before, "undecodable")],
        [1, 1, 1]
    );
    let said =
        sandbox.succeed(&["decide", "photos", "relabel", "--as", "blue", "green/strange.png", "--why", "it is blue"]);
    assert!(said.starts_with("1: relabel green/strange.png as blue (it is blue)\n"), "{said}");
    // Now it is a copy in its own class: of three pictures, two are.
    sandbox.succeed(&["decide", "photos", "exclude", "--found", "undecodable", "-q"]);
    sandbox.succeed(&["decide", "photos", "exclude", "--found", "exact_duplicate"]);
    let after = audit(&sandbox);
    assert_eq!(
        [count(&after, "two_labels"), count(&after, "exact_duplicate"), count(&after, "undecodable")],
        [0, 0, 0]
    );
    assert_eq!(after["samples"], 24);
    sandbox.succeed(&quick_train("photos", &[]));
    let run = sandbox.the_run();
    let kept = std::fs::read_to_string(sandbox.path(&run).join("decisions.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 3);
    let samples = std::fs::read_to_string(sandbox.path(&run).join("samples.csv")).unwrap();
    assert_eq!(samples.lines().count(), 25, "{samples}");

    sandbox.succeed(&["decide", "photos", "undo", "1"]);
    assert_eq!(count(&audit(&sandbox), "two_labels"), 0, "the copy in green is excluded still, or was never");
    sandbox.succeed(&["decide", "photos", "undo", "3"]);
    let undone = audit(&sandbox);
    assert_eq!([count(&undone, "two_labels"), count(&undone, "exact_duplicate")], [1, 1]);
    let list = sandbox.succeed(&["decide", "photos", "list"]);
    assert!(list.contains("  1  relabel green/strange.png as blue (it is blue)  – undone\n"), "{list}");
    assert!(list.contains("  4  undo 1\n"), "{list}");
    let list: serde_json::Value =
        serde_json::from_str(&sandbox.succeed(&["decide", "photos", "list", "--json"])).unwrap();
    assert_eq!(list["decisions"].as_array().unwrap().len(), 5);
    assert_eq!(list["decisions"][1]["in_force"], true);
    assert!(sandbox.path("photos/green/strange.png").exists() && sandbox.path("photos/green/page.jpg").exists());
}

#[test]
fn classes_can_be_made_one() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("red", 9), ("Mr. Mime", 9), ("MrMime", 9)]);
    sandbox.succeed(&["decide", "photos", "merge", "MrMime", "Mr. Mime", "--into", "Mr. Mime"]);
    let audit = audit(&sandbox);
    assert_eq!(audit["classes"].as_object().unwrap().len(), 2);
    assert_eq!(audit["classes"]["Mr. Mime"], 18);
    // All classes in one leave nothing to learn; that can be taken back all the same.
    sandbox.succeed(&["decide", "photos", "merge", "red", "--into", "Mr. Mime"]);
    let said = sandbox.run(&["audit", "photos"]);
    assert!(said.code != Some(0) && said.err.contains("belong to one class"), "{}", said.err);
    sandbox.succeed(&["decide", "photos", "undo", "2"]);
    sandbox.succeed(&["audit", "photos"]);
}

#[test]
fn what_is_not_there_cannot_be_decided_on() {
    let sandbox = faulty();
    for (typed, wrong, help) in [
        (
            &["exclude", "blue/agian.png"][..],
            "there is no picture \"blue/agian.png\"",
            "nearest name is \"blue/again.png\"",
        ),
        (&["relabel", "--as", "blau", "blue/again.png"], "there is no class \"blau\"", "nearest name is \"blue\""),
        (&["merge", "gren", "--into", "blue"], "there is no class \"gren\"", "nearest name is \"green\""),
        (&["undo", "1"], "there is no decision 1", ""),
        (&["exclude", "--found", "shortcut"], "cannot be left out by the finding", "exact_duplicate"),
        (&["exclude", "--found", "animated"], "the audit finds no animated", ""),
        (&["exclude"], "required", ""),
    ] {
        let arguments: Vec<&str> = ["decide", "photos"].into_iter().chain(typed.iter().copied()).collect();
        let said = sandbox.run(&arguments);
        assert_eq!(said.code, Some(2), "{typed:?}: {}", said.err);
        assert!(said.err.contains(wrong) && said.err.contains(help), "{typed:?}: {}", said.err);
    }
    assert!(!sandbox.path("photos/avizor-decisions.jsonl").exists());
    let nowhere = sandbox.run(&["decide", "nowhere", "list"]);
    assert!(nowhere.code != Some(0) && nowhere.err.contains("nowhere does not exist"), "{}", nowhere.err);
    sandbox.write("photos/avizor-decisions.jsonl", "{\"action\":\"exclude\"}\n");
    let said = sandbox.run(&["audit", "photos"]);
    assert!(said.err.contains("line 1") && said.err.contains("pictures"), "{}", said.err);
}

#[test]
fn a_split_becomes_a_table_or_folders_and_either_trains() {
    let sandbox = faulty();
    let text = sandbox.succeed(&["split", "photos", "--out", "split.csv", "--materialize", "parts", "--seed", "1"]);
    assert!(text.starts_with("An evaluation on this split is "), "{text}");
    assert!(
        text.contains("\ntable: split.csv\n") && text.contains("\nfolders: parts (26 links, 0 copies)\n"),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&sandbox.succeed(&["split", "photos", "--json"])).unwrap();
    let of_blue = &json["classes"]["blue"];
    let sum: u64 = ["train", "val", "test"].iter().map(|part| of_blue[part].as_u64().unwrap()).sum();
    assert_eq!(sum, 13);
    let refused = sandbox.run(&["split", "photos", "--materialize", "parts"]);
    assert!(refused.code == Some(1) && refused.err.contains("parts is not empty"), "{}", refused.err);
    // What is given is kept; both say the same.
    let counts = |arguments: &[&str]| {
        let json: serde_json::Value = serde_json::from_str(&sandbox.succeed(arguments)).unwrap();
        json["classes"].to_string()
    };
    let table = ["split", "split.csv", "--set", "data.pictures=photos", "--set", "data.file_column=path", "--json"];
    assert_eq!(counts(&table), counts(&["split", "parts", "--json"]));
    let eighty = sandbox.succeed(&["split", "photos", "--set", "split.ratios=[0.8,0,0.2]"]);
    assert!(eighty.contains("\nall           21          0          5\n"), "{eighty}");
    let said = sandbox.run(&quick_train("photos", &["--set", "split.ratios=[0.8,0,0.2]"]));
    assert!(said.code != Some(0) && said.err.contains("no picture is left for the val part"), "{}", said.err);
}

#[test]
fn a_given_split_that_leaks_is_told_and_mended() {
    let sandbox = Sandbox::new();
    for part in ["train", "val", "test"] {
        for class in 0..2 {
            let shift = ["train", "val", "test"].iter().position(|&have| have == part).unwrap();
            let names = (0..9).map(|n| (n, format!("photos/{part}/{}/{n}.png", ["blue", "green"][class])));
            // The first two of test are pictures of train.
            names.for_each(|(n, name)| {
                sandbox.write(&name, picture(class, if shift == 2 && n < 2 { n } else { 100 * shift + n }));
            });
        }
    }
    let leaks = audit(&sandbox);
    assert_eq!(leaks["verdict"]["evaluation"], "not_valid");
    assert!(leaks["verdict"]["sentence"].as_str().unwrap().starts_with("4 of 18 test pictures (22.2 %)"), "{leaks}");
    let said = sandbox.run(&["audit", "photos", "--set", "split.repair=true"]);
    assert!(said.out.contains("none of the 18 test pictures has a picture in train or val"), "{}", said.out);
    assert!(said.err.contains("left out are 4 pictures of train and 0 of val"), "{}", said.err);
}
