//! Variants of a recipe, trained and compared; and what helps to write one: rates and times, measured.

use std::fs;

use crate::sandbox::Sandbox;

const RECIPE: &str = r#"
[data]
path = "photos"
[transforms]
size = 16
[model]
name = "mlp"
hidden = [8]
[train]
epochs = 2
batch = 8
[variants.slow]
"optimizer.lr" = 1e-5
[variants.quick]
"optimizer.lr" = 0.01
"model.hidden" = [16]
[variants.two_classes]
"data.classes" = ["ant", "bee"]
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("ant", 16), ("bee", 16), ("cat", 16)]);
    sandbox.write("some.toml", RECIPE);
    sandbox
}

fn comparison(sandbox: &Sandbox, folder: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(sandbox.path(&format!("{folder}/comparison.json"))).unwrap()).unwrap()
}

#[test]
fn variants_are_trained_compared_and_not_trained_twice() {
    let sandbox = sandbox();
    let said = sandbox.run(&["variants", "some.toml", "--only", "quick,slow", "--seeds", "2", "--threads", "2"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("4 of 4: quick, seed 43"), "{}", said.err);
    assert!(said.out.contains("chosen") && said.out.contains("Of 1 pair of variants"), "{}", said.out);
    let folder = sandbox.the_run();
    let first = comparison(&sandbox, &folder);
    let names: Vec<&str> = first["variants"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["slow", "quick"]);
    assert_eq!(first["pairs"].as_array().unwrap().len(), 1);
    assert_eq!(first["variants"][0]["runs"].as_array().unwrap().len(), 2);
    let page = fs::read_to_string(sandbox.path(&format!("{folder}/report.html"))).unwrap();
    let run = first["variants"][1]["runs"][0].as_str().unwrap();
    assert!(page.contains(&format!("href=\"{run}/report.html\"")), "{page}");
    assert!(sandbox.path(&format!("{folder}/{run}/report.html")).is_file());

    // One more variant in the same folder: only that one is trained; it answers another question.
    let said = sandbox.run(&["variants", "some.toml", "--seeds", "2", "--into", &folder]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(said.err.matches("done already").count(), 4, "{}", said.err);
    let second = comparison(&sandbox, &folder);
    assert_eq!(second["variants"][1], first["variants"][1]);
    assert_eq!(second["pairs"], first["pairs"]);
    assert!(second["chosen"].is_null());
    assert!(said.out.contains("answer different questions"), "{}", said.out);
}

#[test]
fn variants_are_chosen_by_cross_validation() {
    let sandbox = sandbox();
    let arguments = ["variants", "some.toml", "--only", "quick,slow", "--folds", "3", "--threads", "2"];
    let said = sandbox.run(&arguments);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("6 of 6: quick, seed 42, fold 3 of 3"), "{}", said.err);
    assert!(said.out.contains("Chosen by cross-validation: "), "{}", said.out);
    let folder = sandbox.the_run();
    let all = comparison(&sandbox, &folder);
    assert_eq!(all["folds"], 3);
    let runs: Vec<&str> = all["variants"][1]["runs"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    let rows = |run: &str, part: &str| {
        let text = fs::read_to_string(sandbox.path(&format!("{folder}/{run}/samples.csv"))).unwrap();
        let of_part = text.lines().filter(|line| line.split(',').nth(2) == Some(part));
        of_part.map(|line| line.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Every picture is in one test part that all share, or val once.
    let mut seen = rows(runs[0], "test");
    for run in &runs {
        assert_eq!(rows(run, "test"), rows(runs[0], "test"));
        seen.extend(rows(run, "val"));
    }
    let answers = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((answers, seen.len()), (48, 48));
    let out = sandbox.run(&["train", "some.toml", "--set", "split.fold=4", "--set", "split.folds=3"]);
    assert!(out.err.contains("split.fold: is 4, but must lie between 1 and split.folds"), "{}", out.err);
}

#[test]
fn what_cannot_be_compared_is_told() {
    let sandbox = sandbox();
    sandbox.write("plain.toml", "[data]\npath = \"photos\"\n");
    sandbox.write("broken.toml", RECIPE.replace("\"optimizer.lr\" = 0.01", "\"optimizer.rate\" = 0.01"));
    for (arguments, wanted) in [
        (&["variants", "plain.toml"][..], "plain.toml has no variants"),
        (&["variants", "some.toml", "--only", "quik"], "some.toml has no variant \"quik\""),
        (&["variants", "broken.toml"], "broken.toml:15: [optimizer] has no option \"rate\""),
        (&["variants", "nowhere.toml"], "nowhere.toml"),
        (&["variants", "some.toml", "--set", "data.path=nowhere"], "variant slow: "),
    ] {
        let said = sandbox.run(arguments);
        assert_ne!(said.code, Some(0));
        assert!(said.err.contains(wanted), "{arguments:?}: {}", said.err);
    }
    // A recipe with variants is a recipe.
    sandbox.succeed(&["train", "some.toml"]);
}

#[test]
fn a_rate_is_found_with_its_plot() {
    let sandbox = sandbox();
    let out = sandbox.succeed(&["lr-find", "some.toml", "--steps", "60", "--json", "--threads", "2"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    let [suggestion, lowest] = ["suggestion", "lowest"].map(|name| answer[name].as_f64().unwrap());
    assert!(suggestion > 1e-7 && (suggestion * 10.0 / lowest - 1.0).abs() < 1e-9, "{out}");
    let plot = fs::read_to_string(sandbox.path(answer["plot"].as_str().unwrap())).unwrap();
    assert!(plot.starts_with("<svg "));
    let said = sandbox.run(&["lr-find", "some.toml", "--steps", "2"]);
    assert_eq!(said.code, Some(2));
}

#[test]
fn a_time_becomes_epochs_and_is_told() {
    let sandbox = sandbox();
    let said = sandbox.run(&["train", "some.toml", "--time", "5s", "--set", "optimizer.lr=0.01", "--threads", "2"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("note: mlp at 16 × 16 for "), "{}", said.err);
    let info = fs::read_to_string(sandbox.path(&format!("{}/run.json", sandbox.the_run()))).unwrap();
    assert!(info.contains("\"time\"") && info.contains("fit into 5 s"), "{info}");
    for (arguments, wanted) in [
        (&["train", "some.toml", "--time", "soon"][..], "it must be a time such as 90s, 10m or 2h"),
        (&["train", "photos", "--time", "9s", "--set", "model.freeze=backbone"], "no epochs to choose by time"),
    ] {
        let said = sandbox.run(arguments);
        assert_ne!(said.code, Some(0));
        assert!(said.err.contains(wanted), "{}", said.err);
    }
}
