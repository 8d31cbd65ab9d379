//! `docs/formats.md` against the types: each example of the page is what is really written, and reads back.
//!
//! After a change on purpose, `AVIZOR_UPDATE_DOCS=1 cargo test -p avizor-store --test formats` writes the examples anew;
//! the words around them remain to be looked at.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use avizor_base::{ClassId, ClassList, Event, Listener, Note, Seed, Split};
use avizor_store::*;

/// One of every file, in the order of the page: the name under which the page shows it, and its text.
fn examples(parent: &Path) -> Vec<(&'static str, String)> {
    let run = RunFolder::create(parent, "photos", "2026-11-22").unwrap();
    run.write_info(&info()).unwrap();
    write_samples(&run.samples_path(), &samples()).unwrap();
    let rows = [("cat", 120, 90.0), ("dog", 60, 90.0)].map(|(class, before, after)| BalanceRow {
        class: class.into(),
        before,
        after,
    });
    write_balance(&run.balance_path(), &rows).unwrap();
    run.write_audit(&audit()).unwrap();
    log(&run);
    let predictions = run.predictions_path(Split::Test);
    self::predictions().write(&predictions).unwrap();
    run.write_metrics(&metrics()).unwrap();
    run.write_gallery(&gallery()).unwrap();

    // What was written reads back as the same values.
    assert_eq!(run.read_info().unwrap(), info());
    assert_eq!(read_samples(&run.samples_path()).unwrap(), samples());
    assert_eq!(read_balance(&run.balance_path()).unwrap(), rows);
    assert_eq!(run.read_audit().unwrap(), audit());
    assert_eq!(read_events(&run.events_path()).unwrap().len(), 5);
    assert_eq!(History::read(&run.history_path()).unwrap().rows().len(), 2);
    assert_eq!(Predictions::read(&predictions).unwrap(), self::predictions());
    assert_eq!(run.read_metrics().unwrap(), metrics());
    assert_eq!(run.read_gallery().unwrap(), gallery());

    [
        ("run.json", run.info_path()),
        ("samples.csv", run.samples_path()),
        ("balance.csv", run.balance_path()),
        ("audit.json", run.audit_path()),
        ("events.jsonl", run.events_path()),
        ("history.csv", run.history_path()),
        ("predictions/test.csv", predictions),
        ("metrics.json", run.metrics_path()),
        ("gallery/gallery.json", run.gallery_path().join("gallery.json")),
    ]
    .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
    .into()
}

fn info() -> RunInfo {
    RunInfo {
        format: Format,
        state: RunState::Finished,
        reason: Some("early stop: val.macro_f1 has not risen for 6 epochs".into()),
        command: ["avizor", "train", "photos"].map(str::to_owned).to_vec(),
        version: "0.1.0".into(),
        seed: 42,
        machine: Machine {
            level: "avx2".into(),
            threads: 2,
            system: "linux x86_64".into(),
            processor: Some("AMD EPYC 9B45".into()),
        },
        started: "2026-11-22T14:03:05Z".into(),
        ended: Some("2026-11-22T14:07:11Z".into()),
        seconds: Some(246.1),
        data: DataInfo { path: "photos".into(), fingerprint: "3f9a1c77e2d04b15".into(), samples: 262, classes: 2 },
        network: Some(NetworkInfo {
            name: "resnet18".into(),
            parameters: 11_177_538,
            weights: "none".into(),
            input: [160, 160],
        }),
        test_evaluations: 1,
        notes: vec![Note { kind: "undecodable".into(), text: "1 file could not be decoded and was left out".into() }],
    }
}

fn samples() -> Vec<SampleRow> {
    let row = |path: &str, class: &str, split, group: Option<&str>| SampleRow {
        path: path.into(),
        class: Some(class.into()),
        split,
        group: group.map(str::to_owned),
        content: "ba7816bf8f01cfea".into(),
    };
    vec![
        row("cat/0001.jpg", "cat", Split::Train, Some("litter 7")),
        row("cat/a, b.jpg", "cat", Split::Val, None),
        row("dog/0001.png", "dog", Split::Test, None),
    ]
}

fn audit() -> Audit {
    Audit {
        format: Format,
        samples: 262,
        classes: [("cat".to_owned(), 172), ("dog".to_owned(), 90)].into_iter().collect(),
        pictures: Some(PictureStatistics {
            width: Quartiles::of(vec![640, 500, 375]),
            height: Quartiles::of(vec![480, 375, 500]),
            aspect_percent: Quartiles::of(vec![133, 133, 75]),
            bytes: Quartiles::of(vec![61_000, 98_304, 40_112]),
            formats: [("JPEG".to_owned(), 261), ("PNG".to_owned(), 1)].into_iter().collect(),
            modes: [("rgb".to_owned(), 262)].into_iter().collect(),
        }),
        verdict: Some(Verdict {
            evaluation: Trust::Valid,
            sentence: "none of the 39 test pictures has a picture in train or val that is equal or nearly so".into(),
        }),
        findings: vec![Finding {
            kind: "exact_duplicate".into(),
            severity: Severity::Warning,
            count: 1,
            groups: vec![vec!["cat/0001.jpg".into(), "cat/copy of 0001.jpg".into()]],
            details: Vec::new(),
            why: "The same picture twice counts double, and misleads when it is on both sides of a split.".into(),
            advice: "Remove all but one of each group.".into(),
        }],
    }
}

/// Writes `events.jsonl` and `history.csv` as a run does: by listening.
fn log(run: &RunFolder) {
    let mut second = 4;
    let clock = move || {
        second += 1;
        format!("2026-11-22T14:03:{second:02}Z")
    };
    let mut events = EventLog::open(&run.events_path(), Box::new(clock)).unwrap();
    let mut history = HistoryLog::open(run.history_path()).unwrap();
    let epoch = |epoch, train, val, f1, best| Event::Epoch {
        epoch,
        values: [("train.loss", train), ("val.loss", val), ("val.macro_f1", f1), ("lr", 0.001), ("seconds", 12.25)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        best,
    };
    for event in [
        Event::RunStarted { epochs: 20, steps_per_epoch: 12, first_step: 0 },
        epoch(1, 0.693, 0.612, 0.71, true),
        epoch(2, 0.441, 0.637, 0.695, false),
        Event::Checkpoint { step: 24 },
        Event::Finished { reason: "all epochs done".into() },
    ] {
        events.on_event(&event);
        history.on_event(&event);
    }
    assert!(events.take_failure().is_none() && history.take_failure().is_none());
}

fn predictions() -> Predictions {
    let row = |sample: &str, group: Option<&str>, label, prediction, probabilities: [f32; 3]| PredictionRow {
        sample: sample.into(),
        group: group.map(str::to_owned),
        label,
        prediction: ClassId(prediction),
        weight: 1.0,
        probabilities: probabilities.to_vec(),
    };
    Predictions {
        classes: ClassList::from_labels(["cat", "dog", "owl"]).unwrap(),
        rows: vec![
            row("cat/0044.jpg", Some("litter 9"), Some(ClassId(0)), 0, [0.75, 0.125, 0.125]),
            row("dog/0001.png", None, Some(ClassId(1)), 0, [0.625, 0.25, 0.125]),
            row("dog/0007.png", None, Some(ClassId(1)), 1, [0.25, 0.5, 0.25]),
            row("unknown/0001.png", None, None, 1, [0.25, 0.75, 0.0]),
        ],
    }
}

/// Of the labelled rows of the predictions.
fn metrics() -> Metrics {
    let table = predictions();
    let rows: Vec<_> = table.rows.iter().filter_map(|row| Some((row.label?, row))).collect();
    let truth: Vec<u32> = rows.iter().map(|(label, _)| label.0).collect();
    let prediction: Vec<u32> = rows.iter().map(|(_, row)| row.prediction.0).collect();
    let probabilities: Vec<f32> = rows.iter().flat_map(|(_, row)| row.probabilities.clone()).collect();
    let labelled = avizor_metrics::Predictions {
        truth: &truth,
        prediction: &prediction,
        probabilities: &probabilities,
        classes: table.classes.len(),
        groups: None,
    };
    let evaluation = avizor_metrics::evaluate(&labelled, Seed(42), avizor_metrics::Options::default()).unwrap();
    let test = PartMetrics::from_evaluation(&evaluation, &table.classes);
    Metrics { format: Format, test, ..Metrics::default() }
}

fn gallery() -> Gallery {
    Gallery {
        format: Format,
        pictures: vec![GalleryPicture {
            file: "error-001.png".into(),
            sample: "dog/0001.png".into(),
            split: Split::Test,
            label: Some("dog".into()),
            prediction: "cat".into(),
            probability: 0.625,
            kind: PictureKind::Error,
        }],
    }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md")
}

/// The place of an example in the page: what lies between the line that names it and the end of its block.
fn block(page: &str, name: &str) -> std::ops::Range<usize> {
    let mark = format!("<!-- example: {name} -->\n```");
    let at = page.find(&mark).unwrap_or_else(|| panic!("docs/formats.md has no example of {name}")) + mark.len();
    let start = at + page[at..].find('\n').unwrap() + 1;
    start..start + page[start..].find("```").unwrap()
}

#[test]
fn the_page_shows_what_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let mut text = fs::read_to_string(page()).unwrap();
    let update = std::env::var_os("AVIZOR_UPDATE_DOCS").is_some();
    for (name, example) in examples(parent.path()) {
        let range = block(&text, name);
        if update {
            text.replace_range(range, &example);
        } else {
            assert_eq!(text[range], example, "docs/formats.md shows another {name}");
        }
    }
    if update {
        fs::write(page(), text).unwrap();
    }
}

#[test]
fn the_page_explains_every_name() {
    let parent = tempfile::tempdir().unwrap();
    let page = fs::read_to_string(page()).unwrap();
    // What comes after the examples and between them is the explanation.
    let words = page.split("```").step_by(2).collect::<String>();
    for (name, example) in examples(parent.path()) {
        let names: Vec<String> = match name.rsplit_once('.') {
            Some((_, "csv")) => example.lines().next().unwrap().split(',').map(str::to_owned).collect(),
            _ => example.lines().flat_map(keys).collect(),
        };
        for key in names.iter().filter(|key| !["p:cat", "p:dog", "p:owl", "cat", "dog", "owl"].contains(&key.as_str()))
        {
            assert!(words.contains(&format!("`{key}`")), "docs/formats.md does not explain `{key}` of {name}");
        }
    }
}

/// The names of members in a line of JSON.
fn keys(line: &str) -> Vec<String> {
    let parts: Vec<&str> = line.split('"').collect();
    let named = parts.windows(2).skip(1).step_by(2).filter(|pair| pair[1].starts_with(':'));
    named.map(|pair| pair[0].to_owned()).collect()
}
