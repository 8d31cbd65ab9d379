//! The whole road: train, report, evaluate, predict.

use crate::sandbox::{Sandbox, files, picture, quick_train};

fn trained() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 20), ("green", 20), ("red", 20)]);
    sandbox.write("photos/blue/.DS_Store", b"junk");
    sandbox.write("photos/red/page.jpg", b"<!DOCTYPE html><html></html>");
    sandbox.succeed(&quick_train("photos", &["--set", "optimizer.lr=0.01", "--set", "train.epochs=8"]));
    sandbox
}

#[test]
fn a_folder_becomes_a_run_with_everything_in_it() {
    let sandbox = trained();
    let run = sandbox.the_run();
    let files = files(&sandbox.path(&run));
    for name in [
        "audit.json",
        "events.jsonl",
        "history.csv",
        "metrics.json",
        "model/model.json",
        "model/model.safetensors",
        "predictions/test.csv",
        "predictions/val.csv",
        "recipe.toml",
        "report.html",
        "report.md",
        "run.json",
        "samples.csv",
        "gallery/gallery.json",
        "checkpoint/current",
    ] {
        assert!(files.iter().any(|file| file == name), "{name} is missing in {files:#?}");
    }
    assert!(!files.iter().any(|file| file.ends_with(".partial")), "{files:#?}");
    let info = std::fs::read_to_string(sandbox.path(&run).join("run.json")).unwrap();
    assert!(info.contains("\"state\": \"finished\"") && info.contains("\"test_evaluations\": 1"), "{info}");
    let audit = std::fs::read_to_string(sandbox.path(&run).join("audit.json")).unwrap();
    assert!(audit.contains("red/page.jpg"), "{audit}");
}

#[test]
fn colours_are_learned_and_told_in_text_and_json() {
    let sandbox = trained();
    let run = sandbox.the_run();
    sandbox.write("new/sea.png", picture(0, 77));
    sandbox.write("new/leaf.png", picture(1, 78));
    let json = sandbox.succeed(&["predict", &run, "new", "--json", "--top", "2"]);
    let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Classes sort as blue, green, red; the picture of class 0 was drawn for the first.
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["path"], "new/leaf.png");
    assert_eq!(lines[0]["top"][0]["class"], "green");
    assert_eq!(lines[1]["top"][0]["class"], "blue");
    assert_eq!(lines[1]["top"].as_array().unwrap().len(), 2);
    let text = sandbox.succeed(&["predict", &run, "new/sea.png", "--top", "1"]);
    assert!(text.starts_with("new/sea.png: blue "), "{text}");
}

#[test]
fn one_broken_picture_does_not_silence_the_others() {
    let sandbox = trained();
    let run = sandbox.the_run();
    sandbox.write("a.png", picture(2, 50));
    sandbox.write("b.png", b"\x89PNG\r\n\x1a\nnot much more");
    sandbox.write("c.png", picture(2, 51));
    let said = sandbox.run(&["predict", &run, "a.png", "b.png", "missing.png", "c.png", "--json"]);
    assert_eq!(said.code, Some(1));
    let lines: Vec<serde_json::Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[1]["error"].is_string() && lines[2]["error"].is_string());
    assert_eq!(lines[3]["top"][0]["class"], "red");
    assert!(said.err.contains("2 of 4 files could not be read"), "{}", said.err);
}

#[test]
fn evaluation_counts_itself_and_takes_other_pictures() {
    let sandbox = trained();
    let run = sandbox.the_run();
    let said = sandbox.succeed(&["eval", &run]);
    assert!(said.contains("evaluated 2 times"), "{said}");
    sandbox.pictures("other", &[("blue", 3), ("green", 4)]);
    let json = sandbox.succeed(&["eval", &run, "other", "--json", "--predictions", "other.csv"]);
    let page: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(page["test"]["n"], 7);
    assert_eq!(page["test"]["classes"]["red"]["recall"]["value"], serde_json::Value::Null);
    assert_eq!(std::fs::read_to_string(sandbox.path("other.csv")).unwrap().lines().count(), 8);
}

#[test]
fn the_same_command_gives_the_same_bits_at_any_number_of_threads() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 12), ("green", 12)]);
    let mut first = None;
    for threads in ["1", "2", "3", "8"] {
        let runs = format!("runs{threads}");
        let augment = "transforms.train=[{ op = \"horizontal_flip\", p = 0.5 }]";
        let mix = ["--set", "train.mixup=0.4", "--set", "train.cutmix=1.0"];
        let more = [&mix[..], &["--set", "model.dropout=0.3", "--set", augment, "--runs", &runs]].concat();
        // The last `--threads` would be an error if given twice, so the quick options come without theirs.
        let mut arguments = quick_train("photos", &more);
        let at = arguments.iter().position(|argument| *argument == "--threads").unwrap();
        arguments[at + 1] = threads;
        sandbox.succeed(&arguments);
        let run = std::fs::read_dir(sandbox.path(&runs)).unwrap().next().unwrap().unwrap().path();
        let bits = ["model/model.safetensors", "predictions/test.csv", "predictions/val.csv", "samples.csv"]
            .map(|file| std::fs::read(run.join(file)).unwrap());
        assert!(*first.get_or_insert_with(|| bits.clone()) == bits, "{threads} threads");
    }
}

#[test]
fn what_is_shown_without_pictures_is_shown() {
    let sandbox = Sandbox::new();
    assert!(sandbox.succeed(&["--version"]).starts_with("avizor 0."));
    assert!(sandbox.succeed(&["models"]).contains("resnet18"));
    assert!(sandbox.succeed(&["models", "small_cnn", "--classes", "18"]).contains("458,834"));
    assert!(sandbox.succeed(&["recipes"]).contains("simpsons"));
    assert!(sandbox.succeed(&["recipes", "--options"]).contains("[schedule]"));
    assert!(sandbox.succeed(&["recipes", "--transforms"]).contains("horizontal_flip"));
    assert!(sandbox.succeed(&["doctor"]).contains("kernels"));
}
