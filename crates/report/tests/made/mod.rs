//! A run folder made of nothing but random numbers: as a trained network would leave it.

#![allow(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]

mod png;

use std::path::Path;

use avizor_base::{ClassId, ClassList, Note, Purpose, Seed, Split, Stream};
use avizor_metrics::{Options, evaluate};
use avizor_store::{
    Audit, BalanceRow, DataInfo, Finding, Format, Gallery, GalleryPicture, History, Machine, Metrics, NetworkInfo,
    PartMetrics, PictureKind, PredictionRow, Predictions, RunFolder, RunInfo, RunState, SampleRow, Severity, Trust,
    Verdict, write_balance, write_samples,
};

/// What the made run is like.
pub(crate) struct Made<'a> {
    pub(crate) name: &'a str,
    pub(crate) classes: Vec<String>,
    /// Pictures of the largest class in test.
    pub(crate) pictures: u64,
    /// Share of right answers, about.
    pub(crate) skill: f64,
    pub(crate) epochs: usize,
    pub(crate) resamples: u32,
}

impl Made<'_> {
    /// Writes every file that a run may have.
    pub(crate) fn write(&self, parent: &Path) -> RunFolder {
        let run = RunFolder::create(parent, self.name, "2026-11-22").unwrap();
        let classes = ClassList::from_ordered(self.classes.clone()).unwrap();
        let [val, test] = [(Split::Val, 1), (Split::Test, 2)].map(|(split, key)| {
            let predictions = self.predictions(&classes, split, key);
            predictions.write(&run.predictions_path(split)).unwrap();
            predictions
        });
        let metrics = Metrics {
            format: Format,
            test: Some(self.evaluate(&test)),
            val: Some(self.evaluate(&val)),
            fine_tuning: None,
        };
        run.write_metrics(&metrics).unwrap();
        run.write_info(&self.info(&test)).unwrap();
        run.write_recipe(RECIPE).unwrap();
        self.history().write(&run.history_path()).unwrap();
        let samples = self.samples(&val, &test);
        write_samples(&run.samples_path(), &samples).unwrap();
        write_balance(&run.balance_path(), &self.balance(&samples)).unwrap();
        run.write_audit(&audit(&samples)).unwrap();
        write_gallery(&run, &test);
        run
    }

    fn predictions(&self, classes: &ClassList, split: Split, key: u64) -> Predictions {
        let mut stream = Seed(5).stream(Purpose::Gallery, [key, 0, 0]);
        let mut rows = Vec::new();
        for label in classes.ids() {
            // The classes thin out to a third, and every fifth is hard.
            let n = self.pictures * 3 / (3 + 6 * u64::from(label.0) / classes.len() as u64).max(1);
            let skill = if label.0 % 5 == 3 { self.skill - 0.25 } else { self.skill + 0.04 };
            for picture in 0..n.max(2) {
                let probabilities = probabilities(&mut stream, label, classes.len(), skill);
                let prediction = largest(&probabilities);
                rows.push(PredictionRow {
                    sample: format!("{}/{split}_{picture:04}.jpg", classes.name(label)),
                    group: None,
                    label: Some(label),
                    prediction,
                    weight: 1.0,
                    probabilities,
                });
            }
        }
        Predictions { classes: classes.clone(), rows }
    }

    fn evaluate(&self, predictions: &Predictions) -> PartMetrics {
        let truth: Vec<u32> = predictions.rows.iter().map(|row| row.label.unwrap().0).collect();
        let prediction: Vec<u32> = predictions.rows.iter().map(|row| row.prediction.0).collect();
        let probabilities: Vec<f32> = predictions.rows.iter().flat_map(|row| row.probabilities.clone()).collect();
        let predictions_of = avizor_metrics::Predictions {
            truth: &truth,
            prediction: &prediction,
            probabilities: &probabilities,
            classes: predictions.classes.len(),
            groups: None,
        };
        let options = Options { resamples: self.resamples, ..Options::default() };
        let evaluation = evaluate(&predictions_of, Seed(1), options).unwrap();
        PartMetrics::from_evaluation(&evaluation, &predictions.classes).unwrap()
    }

    fn info(&self, test: &Predictions) -> RunInfo {
        RunInfo {
            format: Format,
            state: RunState::Finished,
            reason: Some("all epochs done".into()),
            command: ["avizor", "train", "my photos", "--set", "model.name=resnet18"].map(str::to_owned).to_vec(),
            version: "0.1.0".into(),
            seed: 42,
            machine: Machine {
                level: "avx512".into(),
                threads: 2,
                system: "linux x86_64".into(),
                processor: Some("AMD EPYC 9B45".into()),
            },
            started: "2026-11-22T14:03:05Z".into(),
            ended: Some("2026-11-22T14:19:45Z".into()),
            seconds: Some(1000.4),
            data: DataInfo {
                path: "my photos".into(),
                fingerprint: "3f9a1c77e2d04b15".into(),
                samples: test.rows.len() as u64 * 6,
                classes: self.classes.len() as u64,
            },
            network: Some(NetworkInfo {
                name: "resnet18".into(),
                parameters: 11_183_694,
                weights: "none".into(),
                input: [160, 160],
            }),
            test_evaluations: 1,
            notes: vec![Note {
                kind: "left_out".into(),
                text: "3 files could not be decoded and were left out.".into(),
            }],
        }
    }

    fn history(&self) -> History {
        let mut stream = Seed(6).stream(Purpose::Gallery, [0, 0, 0]);
        let mut history = History::default();
        let (chance, mut best) = ((self.classes.len() as f64).ln(), 0.0);
        for epoch in 1..=self.epochs {
            let t = epoch as f64 / self.epochs as f64;
            let train = chance * (-3.2 * t).exp() + 0.02 * stream.unit();
            let val = chance * (0.22 + 0.78 * (-4.0 * t).exp() + 0.16 * t * t) + 0.05 * stream.unit();
            let accuracy = self.skill * (1.0 - (-5.0 * t).exp()) + 0.03 * stream.unit();
            let f1 = accuracy - 0.02;
            let is_best = f1 > best;
            best = f1.max(best);
            let values = [
                ("train.loss", train),
                ("train.accuracy", 1.0 - 0.9 * (-4.5 * t).exp()),
                ("val.loss", val),
                ("val.accuracy", accuracy),
                ("val.macro_f1", f1),
                ("lr", 1e-3 * 0.5 * (1.0 + (std::f64::consts::PI * t).cos())),
                ("seconds", 12.5),
            ];
            history.push(epoch, &values.map(|(name, value)| (name.to_owned(), value)), is_best);
        }
        history
    }

    fn samples(&self, val: &Predictions, test: &Predictions) -> Vec<SampleRow> {
        let row = |path: String, class: &str, split| SampleRow {
            path,
            class: Some(class.to_owned()),
            split,
            group: None,
            content: "ba7816bf8f01cfea".into(),
        };
        let mut samples = Vec::new();
        for (split, part) in [(Split::Val, val), (Split::Test, test)] {
            for prediction in &part.rows {
                let class = part.classes.name(prediction.label.unwrap());
                samples.push(row(prediction.sample.clone(), class, split));
                if split == Split::Test {
                    samples.extend((0..4).map(|i| row(format!("{}_{i}", prediction.sample), class, Split::Train)));
                }
            }
        }
        samples
    }

    fn balance(&self, samples: &[SampleRow]) -> Vec<BalanceRow> {
        let train: Vec<_> = samples.iter().filter(|sample| sample.split == Split::Train).collect();
        let after = train.len() as f64 / self.classes.len() as f64;
        let before = |class: &String| train.iter().filter(|sample| sample.class.as_ref() == Some(class)).count() as u64;
        self.classes.iter().map(|class| BalanceRow { class: class.clone(), before: before(class), after }).collect()
    }
}

/// Mostly the label, else a class nearby; sure of itself in both cases.
fn probabilities(stream: &mut Stream, label: ClassId, classes: usize, skill: f64) -> Vec<f32> {
    let is_right = stream.chance(skill);
    let step = 1 + stream.below(3) as usize * usize::from(stream.chance(0.4));
    let said = if is_right { label.index() } else { (label.index() + step) % classes };
    let logits: Vec<f64> = (0..classes)
        .map(|class| stream.normal() * 0.8 + if class == said { 3.5 + 2.5 * stream.unit() } else { 0.0 })
        .collect();
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    logits.iter().map(|logit| (logit.exp() / sum) as f32).collect()
}

fn largest(probabilities: &[f32]) -> ClassId {
    let largest = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    ClassId(largest.unwrap() as u32)
}

fn audit(samples: &[SampleRow]) -> Audit {
    let mut classes: Vec<(String, u64)> = Vec::new();
    for sample in samples {
        let class = sample.class.clone().unwrap();
        match classes.iter_mut().find(|(name, _)| *name == class) {
            Some((_, n)) => *n += 1,
            None => classes.push((class, 1)),
        }
    }
    Audit {
        format: Format,
        samples: samples.len() as u64,
        classes: classes.into_iter().collect(),
        pictures: None,
        verdict: Some(Verdict {
            evaluation: Trust::NotValid,
            sentence: "1 of 40 test pictures (2.5 %) is in train or val too, equal: the result would be too good"
                .into(),
        }),
        findings: vec![
            Finding {
                kind: "across_splits".into(),
                severity: Severity::Warning,
                count: 1,
                groups: vec![vec![samples[0].path.clone(), samples[9].path.clone()]],
                details: vec!["the same bytes".into()],
                why: "the same picture is in train and in test, so test flatters.".into(),
                advice: "Split again with groups, or remove one of each.".into(),
            },
            Finding {
                kind: "gray".into(),
                severity: Severity::Info,
                count: 14,
                groups: vec![],
                details: vec![],
                why: "Gray pictures tell nothing by colour.".into(),
                advice: "Nothing, unless one class holds them all.".into(),
            },
            Finding {
                kind: "ignored_file".into(),
                severity: Severity::Info,
                count: 3,
                groups: vec![vec!["cat/.DS_Store".into(), "dog/.DS_Store".into()], vec!["notes.txt".into()]],
                details: vec!["2 hidden".into(), "1 tables, texts and other files".into()],
                why: "These are not used.".into(),
                advice: "Check that none of them was meant as a picture.".into(),
            },
        ],
    }
}

/// The most confident errors, and some others.
fn write_gallery(run: &RunFolder, test: &Predictions) {
    let probability = |row: &PredictionRow| f64::from(row.probabilities[row.prediction.index()]);
    let mut errors: Vec<_> = test.rows.iter().filter(|row| row.label != Some(row.prediction)).collect();
    errors.sort_by(|a, b| probability(b).total_cmp(&probability(a)));
    errors.truncate(12);
    let others: Vec<_> = test.rows.iter().step_by((test.rows.len() / 16).max(1)).take(16).collect();
    let rows = errors.into_iter().map(|row| (row, PictureKind::Error));
    let rows = rows.chain(others.into_iter().map(|row| (row, PictureKind::Sample)));
    let pictures = rows.enumerate().map(|(i, (row, kind))| {
        let label = row.label.unwrap();
        let picture = GalleryPicture {
            file: format!("{i:03}.png"),
            sample: row.sample.clone(),
            split: Split::Test,
            label: Some(test.classes.name(label).to_owned()),
            prediction: test.classes.name(row.prediction).to_owned(),
            probability: probability(row),
            kind,
        };
        run.write_gallery_picture(&picture, &png::blob(label.0, i as u64)).unwrap();
        picture
    });
    let gallery = Gallery { format: Format, pictures: pictures.collect() };
    run.write_gallery(&gallery).unwrap();
}

const RECIPE: &str = "[data]\npath = \"my photos\"\n\n[split]\nratios = [0.7, 0.15, 0.15]\nseed = 42\n\n[model]\nname = \
                      \"resnet18\"\nweights = \"none\"\n\n[train]\nepochs = 20\nbatch = 32\nselect = \"val.macro_f1\"\n";
