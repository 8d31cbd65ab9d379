//! Quickstart reaches its accuracy, and needs a network to do so.
//!
//! Slow on purpose: it is the first thing that a stranger runs, and what it claims must be true.

use std::fs;
use std::path::Path;
use std::time::Instant;

use avizor_base::{Purpose, Seed};
use avizor_data::{DecodeOptions, Picture, read_picture};

use crate::sandbox::Sandbox;

#[test]
fn quickstart_learns_what_colours_and_layers_without_neighbourhoods_cannot() {
    let sandbox = Sandbox::new();
    let started = Instant::now();
    let said = sandbox.succeed(&["quickstart", "quick"]);
    let seconds = started.elapsed().as_secs_f64();
    assert!(said.contains("report: quick"), "{said}");
    // How long it took is told, not asserted: a test must not fail because its neighbours are busy.
    eprintln!("quickstart took {seconds:.0} s");
    let reached = test_part(&sandbox, "quick/runs");
    assert!(reached.accuracy >= 0.9, "{reached:?}");

    // The fully connected baseline, with the recipe's other options.
    fs::remove_dir_all(sandbox.path("quick/runs")).unwrap();
    sandbox.succeed(&["quickstart", "quick", "--set", "model.name=mlp"]);
    let baseline = test_part(&sandbox, "quick/runs");
    assert!(baseline.accuracy <= 0.75, "{baseline:?}");

    let by_colour = accuracy_by_colour(&sandbox.path("quick/shapes-42"));
    assert!(by_colour <= 0.6, "colours alone reach {by_colour}");

    // With labels that mean nothing nothing can be learned, however long; what looks like learning would be a leak.
    shuffle_labels(&sandbox.path("quick/shapes-42"));
    fs::remove_dir_all(sandbox.path("quick/runs")).unwrap();
    sandbox.succeed(&["quickstart", "quick", "--set", "train.epochs=4"]);
    let shuffled = test_part(&sandbox, "quick/runs");
    assert!(shuffled.high < 0.3, "{shuffled:?}");
}

#[derive(Debug)]
struct Reached {
    accuracy: f64,
    /// Upper end of Wilson's interval.
    high: f64,
}

fn test_part(sandbox: &Sandbox, runs: &str) -> Reached {
    let run = fs::read_dir(sandbox.path(runs)).unwrap().next().unwrap().unwrap().path();
    let page: serde_json::Value = serde_json::from_slice(&fs::read(run.join("metrics.json")).unwrap()).unwrap();
    let accuracy = &page["test"]["accuracy"];
    Reached { accuracy: accuracy["value"].as_f64().unwrap(), high: accuracy["high"].as_f64().unwrap() }
}

/// Every class folder with its pictures, sorted.
fn pictures(folder: &Path) -> Vec<(usize, std::path::PathBuf)> {
    let mut classes: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    classes.retain(|path| path.is_dir());
    classes.sort();
    let mut pictures = Vec::new();
    for (class, folder) in classes.iter().enumerate() {
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        pictures.extend(files.into_iter().map(|file| (class, file)));
    }
    pictures
}

/// Gives every picture the class of another one, drawn at random.
fn shuffle_labels(folder: &Path) {
    let pictures = pictures(folder);
    let mut places: Vec<_> = pictures.iter().map(|(_, path)| path.parent().unwrap().to_owned()).collect();
    Seed(3).stream(Purpose::Order, [0, 0, 0]).shuffle(&mut places);
    let aside = folder.join(".aside");
    fs::create_dir(&aside).unwrap();
    for (number, (_, path)) in pictures.iter().enumerate() {
        fs::rename(path, aside.join(number.to_string())).unwrap();
    }
    for (number, place) in places.iter().enumerate() {
        let extension = pictures[number].1.extension().unwrap().to_str().unwrap();
        fs::rename(aside.join(number.to_string()), place.join(format!("{number}.{extension}"))).unwrap();
    }
    fs::remove_dir(aside).unwrap();
}

/// Accuracy of logistic regression on colour histograms: four of five pictures teach, the fifth is asked.
fn accuracy_by_colour(folder: &Path) -> f64 {
    let options = DecodeOptions::default();
    let samples: Vec<(usize, Vec<f64>)> = pictures(folder)
        .into_iter()
        .filter_map(|(class, path)| {
            Some((class, histogram(&read_picture(&path, &options, &mut Vec::new()).ok()?.picture)))
        })
        .collect();
    let classes = samples.iter().map(|(class, _)| class + 1).max().unwrap();
    let features = samples[0].1.len();
    let mut weights = vec![vec![0.0; features]; classes];
    for _ in 0..300 {
        let mut gradient = vec![vec![0.0; features]; classes];
        for (class, sample) in samples.iter().enumerate().filter(|(place, _)| place % 5 != 0).map(|(_, sample)| sample)
        {
            for (row, (gradient, p)) in gradient.iter_mut().zip(softmax(&weights, sample)).enumerate() {
                let error = p - f64::from(u8::from(row == *class));
                gradient.iter_mut().zip(sample).for_each(|(gradient, value)| *gradient += error * value);
            }
        }
        let rate = 20.0 / samples.len() as f64;
        for (weights, gradient) in weights.iter_mut().zip(&gradient) {
            weights.iter_mut().zip(gradient).for_each(|(weight, gradient)| *weight -= rate * gradient);
        }
    }
    let asked: Vec<_> = samples.iter().step_by(5).collect();
    let right = asked.iter().filter(|(class, sample)| {
        let p = softmax(&weights, sample);
        (0..classes).all(|other| p[other] <= p[*class])
    });
    right.count() as f64 / asked.len() as f64
}

/// Shares of the pixels in 4 × 4 × 4 boxes of colour, scaled so that a rate suits all, and a constant.
fn histogram(picture: &Picture) -> Vec<f64> {
    let mut counts = vec![0.0; 65];
    for pixel in picture.pixels().chunks_exact(3) {
        let cell = pixel.iter().fold(0, |cell, &value| cell * 4 + usize::from(value) / 64);
        counts[cell] += 8.0 / f64::from(picture.size().area());
    }
    counts[64] = 1.0;
    counts
}

fn softmax(weights: &[Vec<f64>], sample: &[f64]) -> Vec<f64> {
    let scores: Vec<f64> = weights.iter().map(|row| row.iter().zip(sample).map(|(w, x)| w * x).sum()).collect();
    let most = scores.iter().copied().fold(f64::MIN, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}
