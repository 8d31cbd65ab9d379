//! Interruption: killed at any moment, a run goes on to the same bits.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::sandbox::{Sandbox, quick_train};

/// Every optimizer, schedule and sampler at least once, with what else has a memory.
const VARIANTS: &[[&str; 3]] = &[
    ["sgd", "plateau", "none"],
    ["sgd", "cosine", "weighted"],
    ["adam", "plateau", "weighted"],
    ["adam", "cosine", "none"],
    ["adamw", "cosine", "weighted"],
    ["adamw", "plateau", "none"],
    ["rmsprop", "plateau", "none"],
    ["rmsprop", "step", "weighted"],
    ["sgd", "none", "none"],
];

#[test]
fn a_killed_run_resumes_to_the_bits_of_one_that_never_stopped() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 30), ("green", 12), ("red", 12)]);
    for (number, [optimizer, schedule, sampler]) in VARIANTS.iter().enumerate() {
        let options = [
            format!("optimizer.name={optimizer}"),
            format!("optimizer.momentum={}", if *optimizer == "sgd" || *optimizer == "rmsprop" { 0.9 } else { 0.0 }),
            format!("schedule.name={schedule}"),
            "schedule.patience=1".to_owned(),
            format!("balance.sampler={sampler}"),
            "model.dropout=0.2".to_owned(),
            "train.epochs=6".to_owned(),
            "train.checkpoint_steps=2".to_owned(),
            "transforms.train=[{ op = \"horizontal_flip\", p = 0.5 }]".to_owned(),
        ];
        let sets: Vec<&str> = options.iter().flat_map(|option| ["--set", option]).collect();
        let train = |runs: &'static str| quick_train("photos", &[&sets[..], &["--runs", runs]].concat()).join("\u{1}");
        let (whole, killed) = (format!("whole{number}"), format!("killed{number}"));
        let (whole, killed): (&'static str, &'static str) = (whole.leak(), killed.leak());
        let (first, second) = (train(whole), train(killed));
        sandbox.succeed(&first.split('\u{1}').collect::<Vec<_>>());
        kill_somewhere(&sandbox, &second.split('\u{1}').collect::<Vec<_>>(), killed, number);
        assert_eq!(result(&sandbox.path(whole)), result(&sandbox.path(killed)), "{optimizer} {schedule} {sampler}");
    }
}

/// Kills the program with SIGKILL at growing times and resumes it until it is done.
fn kill_somewhere(sandbox: &Sandbox, train: &[&str], runs: &str, number: usize) {
    let mut child = sandbox.command(train).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let folder = sandbox.path(runs);
    // The first kill comes as soon as there is something to resume; later ones at other moments for every variant.
    while child.try_wait().unwrap().is_none() && !has_checkpoint(&folder) {
        std::thread::sleep(Duration::from_millis(1));
    }
    for kill in 0..3 {
        std::thread::sleep(Duration::from_millis((3 * number + 7 * kill) as u64));
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        if ended {
            break;
        }
        let run = only_entry(&folder);
        child = sandbox
            .command(&["resume", run.to_str().unwrap(), "--threads", "2"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
    }
    child.wait().unwrap();
    let run = only_entry(&folder);
    let info = std::fs::read_to_string(run.join("run.json")).unwrap();
    if !info.contains("\"finished\"") {
        sandbox.succeed(&["resume", run.to_str().unwrap()]);
    }
}

fn has_checkpoint(runs: &Path) -> bool {
    std::fs::read_dir(runs).is_ok_and(|mut entries| {
        entries.next().is_some_and(|entry| entry.is_ok_and(|entry| entry.path().join("checkpoint/current").is_file()))
    })
}

fn only_entry(folder: &Path) -> std::path::PathBuf {
    std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
}

/// What must be equal: the model, the predictions, and the history but for the time it took.
fn result(runs: &Path) -> (Vec<u8>, String, String) {
    let run = only_entry(runs);
    let model = std::fs::read(run.join("model/model.safetensors")).unwrap();
    let predictions = std::fs::read_to_string(run.join("predictions/test.csv")).unwrap();
    let history = std::fs::read_to_string(run.join("history.csv")).unwrap();
    let lines: Vec<&str> = history.lines().collect();
    let seconds = lines[0].split(',').position(|column| column == "seconds").unwrap();
    let timeless = lines.iter().map(|line| {
        let cells = line.split(',').enumerate().filter(|(place, _)| *place != seconds);
        cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",")
    });
    (model, predictions, timeless.collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_finished_run_and_changed_pictures_are_not_resumed() {
    let sandbox = Sandbox::new();
    sandbox.pictures("photos", &[("blue", 12), ("green", 12)]);
    sandbox.succeed(&quick_train("photos", &[]));
    let run = sandbox.the_run();
    let said = sandbox.run(&["resume", &run]);
    assert_eq!(said.code, Some(1));
    assert_eq!(said.err, format!("error: {run} is finished; there is nothing to resume\n"));

    let info = sandbox.path(&run).join("run.json");
    let text = std::fs::read_to_string(&info).unwrap().replace("\"finished\"", "\"running\"");
    std::fs::write(&info, text).unwrap();
    sandbox.write("photos/blue/new.png", crate::sandbox::picture(0, 99));
    let said = sandbox.run(&["resume", &run]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("have changed since it was begun"), "{}", said.err);
}
