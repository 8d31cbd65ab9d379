//! Pictures joined with what a table says of them.

use std::fmt::Write as _;
use std::fs;

use avizor_base::{Purpose, Seed};
use serde_json::Value;

use crate::sandbox::{Sandbox, picture, quick_train};

/// Pictures that say nothing of their class, and a table that does: the old and the women of the young are ill. Some ages are
/// missing.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("eyes/known.csv", table(120, "age", |number| format!("images/{number:03}.png")));
    for number in 0..120 {
        sandbox.write(&format!("eyes/images/{number:03}.png"), picture(0, number));
    }
    sandbox
}

fn table(rows: usize, age: &str, file: impl Fn(usize) -> String) -> String {
    let mut table = format!("file,label,{age},sex,person\n");
    let mut stream = Seed(5).stream(Purpose::Quickstart, [0, 0, 0]);
    for number in 0..rows {
        let (years, sex) = (20 + stream.below(60), ["f", "m"][stream.below(2) as usize]);
        let label = if years >= 50 || sex == "f" { "ill" } else { "well" };
        let years = if number % 40 == 7 { String::new() } else { years.to_string() };
        writeln!(table, "{},{label},{years},{sex},p{number}", file(number)).unwrap();
    }
    table
}

const COLUMNS: &[&str] = &["--set", "data.metadata=[\"age\", \"sex\"]"];
const JOINED: &[&str] = &["--set", "metadata.role=joined", "--set", "metadata.hidden=[16]", "--set", "model.head=[16]"];
const ALONE: &[&str] = &["--set", "metadata.role=alone", "--set", "metadata.hidden=[16]", "--set", "model.head=[16]"];
const LONGER: &[&str] = &[
    "--set",
    "train.epochs=15",
    "--set",
    "optimizer.lr=0.02",
    "--set",
    "split.ratios=[0.5, 0.2, 0.3]",
    "--set",
    "model.dropout=0.1",
];

fn trained(role: &[&str]) -> (Sandbox, String) {
    let sandbox = sandbox();
    sandbox.succeed(&quick_train("eyes", &[COLUMNS, LONGER, role].concat()));
    let run = sandbox.the_run();
    (sandbox, run)
}

fn json(sandbox: &Sandbox, file: &str) -> Value {
    serde_json::from_slice(&fs::read(sandbox.path(file)).unwrap()).unwrap()
}

fn accuracy(sandbox: &Sandbox, run: &str) -> f64 {
    json(sandbox, &format!("{run}/metrics.json"))["test"]["accuracy"]["value"].as_f64().unwrap()
}

#[test]
fn metadata_tell_what_pictures_cannot() {
    let mut accuracies = Vec::new();
    for (role, name) in [(&[][..], "mlp"), (JOINED, "mlp + metadata"), (ALONE, "metadata alone")] {
        let (sandbox, run) = trained(role);
        let info = json(&sandbox, &format!("{run}/run.json"));
        assert_eq!(info["network"]["name"], name);
        let notes = info["notes"].as_array().unwrap();
        let note = notes.iter().find(|note| note["kind"] == "metadata");
        assert_eq!(note.is_some(), !role.is_empty());
        if let Some(note) = note {
            let text = note["text"].as_str().unwrap();
            assert!(text.contains("sex (f, m)") && text.contains("\"age\" is missing in 3 of 120 rows"), "{text}");
        }
        accuracies.push(accuracy(&sandbox, &run));
    }
    // The larger class alone gives about 0.75.
    assert!(accuracies[0] < 0.85 && accuracies[1] > 0.9 && accuracies[2] > 0.9, "{accuracies:?}");
}

#[test]
fn what_is_known_comes_from_a_table_or_the_command_line() {
    let (sandbox, run) = trained(JOINED);
    let answer = |arguments: &[&str]| -> Vec<Value> {
        let said = sandbox.succeed(&[&["predict", &run, "--json", "--top", "1"], arguments].concat());
        said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["top"][0].clone()).collect()
    };
    let old = answer(&["eyes/images/000.png", "--with", "age=75", "--with", "sex=m"]);
    let young = answer(&["eyes/images/000.png", "--with", "sex=m", "--with", "age=25"]);
    assert_eq!((&old[0]["class"], &young[0]["class"]), (&Value::from("ill"), &Value::from("well")));
    // The same from a table, in whatever order, by names without extension; a picture that it does not name is told.
    sandbox.write("some.csv", "sex,age,name\nm,25,001\nm,75,000\n");
    let said = sandbox.run(&["predict", &run, "eyes/images", "--metadata", "some.csv", "--json", "--top", "1"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("some.csv has no row for 118 of 120 pictures"), "{}", said.err);
    let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["top"][0], old[0]);
    assert_eq!(lines[1]["top"][0], answer(&["eyes/images/001.png", "--with", "age=25", "--with", "sex=m"])[0]);
    let said = sandbox.run(&["predict", &run, "eyes/images/000.png", "--with", "age=old", "--with", "sex=x"]);
    assert!(said.err.contains("\"age\" is \"old\"") && said.err.contains("\"sex\" is \"x\""), "{}", said.err);

    for (arguments, wanted) in [
        (&[][..], "this model reads age and sex beside the picture, and nothing says it"),
        (&["--with", "age=3"], "this model reads sex beside the picture"),
        (&["--with", "age"], "--with age is not of the form COLUMN=VALUE"),
        (&["--with", "gender=f"], "the model reads no column \"gender\""),
        (&["--with", "age=1", "--with", "age=2", "--with", "sex=f"], "--with says \"age\" twice"),
        (&["--metadata", "none.csv"], "none.csv does not exist"),
        (&["--metadata", "eyes/people.csv"], "people.csv has no column \"age\""),
    ] {
        sandbox.write("eyes/people.csv", table(120, "years", |number| format!("images/{number:03}.png")));
        let said = sandbox.run(&[&["predict", &run, "eyes/images/000.png"], arguments].concat());
        assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(wanted) && said.err.contains("help: "), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn evaluation_reads_the_runs_own_table_and_others() {
    let (sandbox, run) = trained(ALONE);
    let own: Value = serde_json::from_str(&sandbox.succeed(&["eval", &run, "--json"])).unwrap();
    assert_eq!(own["test"]["accuracy"], json(&sandbox, &format!("{run}/metrics.json"))["test"]["accuracy"]);
    sandbox.write("other/known.csv", table(8, "age", |number| format!("{number}.png")));
    (0..8).for_each(|number| sandbox.write(&format!("other/{number}.png"), picture(1, number)));
    let other: Value = serde_json::from_str(&sandbox.succeed(&["eval", &run, "other", "--json"])).unwrap();
    assert_eq!((&other["test"]["n"], &other["test"]["accuracy"]["value"]), (&Value::from(8), &Value::from(1.0)));
    sandbox.pictures("folders", &[("ill", 3), ("well", 3)]);
    let said = sandbox.run(&["eval", &run, "folders"]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("reads age and sex beside the picture, and these pictures have no table"),
        "{}",
        said.err
    );
}

/// Nothing but the time may tell whether features were kept.
#[test]
fn kept_features_are_joined_with_metadata() {
    const NEVER: &str = r#"transforms.train=[{op="horizontal_flip",p=0.0}]"#;
    let sandbox = sandbox();
    let options = [
        COLUMNS,
        JOINED,
        &["--set", "model.name=mobilenet_v2", "--set", "model.stem=small", "--set", "transforms.size=16"],
        &["--set", "model.freeze=backbone", "--set", "optimizer.lr=0.02", "--set", "train.epochs=3"],
    ]
    .concat();
    let mut losses = Vec::new();
    for (runs, more) in [("kept", &[][..]), ("computed", &["--set", NEVER])] {
        let said = sandbox.run(&quick_train("eyes", &[&options, more, &["--runs", runs]].concat()));
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!(said.err.contains("goes through the frozen network once"), more.is_empty(), "{}", said.err);
        let run = fs::read_dir(sandbox.path(runs)).unwrap().next().unwrap().unwrap().path();
        let history = fs::read_to_string(run.join("history.csv")).unwrap();
        let place = history.lines().next().unwrap().split(',').position(|name| name == "val.loss").unwrap();
        let column = history.lines().skip(1).map(|row| row.split(',').nth(place).unwrap().parse::<f64>().unwrap());
        losses.push(column.collect::<Vec<_>>());
    }
    assert!(losses[0][0] - losses[0][2] > 0.01, "nothing was learnt, so nothing was compared: {losses:?}");
    for (kept, computed) in losses[0].iter().zip(&losses[1]) {
        assert!((kept - computed).abs() <= 1e-5 * computed.abs(), "{losses:?}");
    }
}

#[test]
fn columns_that_cannot_be_read_are_told_before_training() {
    let sandbox = sandbox();
    sandbox.pictures("photos", &[("ill", 12), ("well", 12)]);
    let text = fs::read_to_string(sandbox.path("eyes/known.csv")).unwrap();
    let empty = text.lines().enumerate().map(|(at, line)| format!("{line},{}\n", if at == 0 { "site" } else { "" }));
    sandbox.write("eyes/known.csv", empty.collect::<String>());
    for (path, options, code, wanted) in [
        ("eyes", &["metadata.role=joined"][..], 2, "metadata.role: needs columns of the table"),
        (
            "eyes",
            &["metadata.role=beside", "data.metadata=[\"age\"]"],
            2,
            "must be one of `ignored`, `joined`, `alone`",
        ),
        ("eyes", &["metadata.role=alone", "data.metadata=[\"ages\"]"], 2, "known.csv has no column \"ages\""),
        ("eyes", &["metadata.role=alone", "data.metadata=[\"site\"]"], 1, "the column \"site\" is empty in all"),
        ("photos", &["metadata.role=joined", "data.metadata=[\"age\"]"], 1, "there are no columns of metadata"),
    ] {
        let set: Vec<&str> = options.iter().flat_map(|option| ["--set", option]).collect();
        let said = sandbox.run(&quick_train(path, &set));
        assert_eq!(said.code, Some(code), "{options:?}: {}", said.err);
        assert!(said.err.contains(wanted) && said.err.contains("help: "), "{options:?}: {}", said.err);
        assert!(!sandbox.path("runs").exists(), "{options:?}");
    }
}
