//! What an evaluation promises of its intervals, its edges and its errors.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use avizor_base::{Purpose, Seed};
use avizor_metrics::{
    ClassEvaluation, Estimate, Evaluation, Interval, LabelError, Level, METRICS, Method, Metric, Options, Predictions,
    evaluate, log_loss, top_k_accuracy, wilson,
};

/// Labels with made-up probabilities: `right` to the prediction, the rest shared.
struct Table {
    truth: Vec<u32>,
    prediction: Vec<u32>,
    probabilities: Vec<f32>,
    classes: usize,
    groups: Option<Vec<u32>>,
}

impl Table {
    fn new(truth: &[u32], prediction: &[u32], classes: usize) -> Self {
        let rest = 0.4 / (classes as f32 - 1.0).max(1.0);
        let top = if classes == 1 { 1.0 } else { 0.6 };
        let row = |&own: &u32| (0..classes).map(move |class| if class == own as usize { top } else { rest });
        let probabilities = prediction.iter().flat_map(row).collect();
        Self { truth: truth.to_vec(), prediction: prediction.to_vec(), probabilities, classes, groups: None }
    }

    /// `n` samples, each right with probability `recall`, mistakes and classes uniform.
    fn random(seed: u64, n: usize, classes: u32, recall: f64) -> Self {
        let mut stream = Seed(seed).stream(Purpose::Order, [0, 0, 0]);
        let truth: Vec<u32> = (0..n).map(|_| stream.below(classes.into()) as u32).collect();
        let mut guess = |&class: &u32| {
            let other = (class + 1 + stream.below(u64::from(classes) - 1) as u32) % classes;
            if stream.chance(recall) { class } else { other }
        };
        let prediction: Vec<u32> = truth.iter().map(&mut guess).collect();
        Self::new(&truth, &prediction, classes as usize)
    }

    fn grouped(self, groups: impl IntoIterator<Item = u32>) -> Self {
        Self { groups: Some(groups.into_iter().collect()), ..self }
    }

    /// Every sample `times` times, each with its copies as a group.
    fn repeated(&self, times: usize) -> Self {
        let copy = |column: &[u32]| column.iter().flat_map(|&value| vec![value; times]).collect::<Vec<_>>();
        let rows = self.probabilities.chunks_exact(self.classes).flat_map(|row| row.repeat(times));
        let groups = (0..self.truth.len() as u32).collect::<Vec<_>>();
        Self {
            truth: copy(&self.truth),
            prediction: copy(&self.prediction),
            probabilities: rows.collect(),
            classes: self.classes,
            groups: Some(copy(&groups)),
        }
    }

    fn predictions(&self) -> Predictions<'_> {
        Predictions {
            truth: &self.truth,
            prediction: &self.prediction,
            probabilities: &self.probabilities,
            classes: self.classes,
            groups: self.groups.as_deref(),
        }
    }

    fn evaluate(&self) -> Evaluation {
        evaluate(&self.predictions(), Seed(42), Options::default()).unwrap()
    }
}

fn class_estimates(class: &ClassEvaluation) -> Vec<Estimate> {
    let scores = class.scores.iter().flat_map(|scores| [scores.precision, scores.recall, scores.f1]);
    scores.chain([class.error_rate]).collect()
}

#[test]
fn independent_samples_get_wilson_for_shares_and_the_bootstrap_for_the_rest() {
    let evaluation = Table::random(1, 200, 7, 0.8).evaluate();
    for (name, estimate) in evaluation.headline() {
        let wilson = ["accuracy", "top_3_accuracy", "top_5_accuracy"].contains(&name);
        assert_eq!(estimate.method, if wilson { Method::Wilson } else { Method::Bootstrap }, "{name}");
        assert_eq!((estimate.n, estimate.method.why()), (200, None), "{name}");
    }
    for estimate in evaluation.classes.iter().flat_map(class_estimates) {
        assert_eq!(estimate.method, Method::Wilson);
    }
    let hits = (evaluation.accuracy.value * 200.0).round() as u64;
    assert_eq!(evaluation.accuracy.interval, wilson(hits, 200, Level::DEFAULT));
    assert_eq!(evaluation.groups, None);
}

#[test]
fn groups_turn_every_interval_into_a_cluster_bootstrap() {
    let evaluation = Table::random(1, 200, 7, 0.8).grouped((0..200).map(|i| i / 4)).evaluate();
    assert_eq!(evaluation.groups, Some(50));
    for (name, estimate) in evaluation.headline() {
        assert_eq!(estimate.method, Method::ClusterBootstrap, "{name}");
    }
    for estimate in evaluation.classes.iter().flat_map(class_estimates) {
        assert!(estimate.method == Method::ClusterBootstrap || estimate.value == 1.0, "{estimate:?}");
    }
}

#[test]
fn copies_in_a_group_add_no_certainty() {
    // The draws are the same, and every count is four times as large: headline intervals stay as they were.
    let table = Table::random(3, 90, 5, 0.7);
    let (single, copied) = (table.evaluate(), table.repeated(4).evaluate());
    assert_eq!(copied.groups, Some(90));
    for ((name, single), (_, copied)) in single.headline().into_iter().zip(copied.headline()) {
        let (a, b) = (single.interval.unwrap(), copied.interval.unwrap());
        let tolerance = if single.method == Method::Bootstrap { 1e-9 } else { 0.02 };
        assert!((a.low - b.low).abs() < tolerance && (a.high - b.high).abs() < tolerance, "{name}: {a:?} {b:?}");
    }
}

#[test]
fn the_bootstrap_of_a_mean_agrees_with_its_standard_error() {
    let table = Table::random(5, 2_000, 4, 0.75);
    let evaluation =
        evaluate(&table.predictions(), Seed(1), Options { resamples: 4_000, ..Options::default() }).unwrap();
    // Two values of the loss, a right and a wrong one: its standard error in closed form.
    let p = evaluation.accuracy.value;
    let spread = (0.6f64.ln() - (0.4f64 / 3.0).ln()) * (p * (1.0 - p) / 2_000.0).sqrt();
    let Interval { low, high } = evaluation.loss.interval.unwrap();
    // The 2.5 % quantile of 4,000 draws has a standard error of 0.042 spreads; five of them on each side.
    assert!(((high - low) / (2.0 * 1.959964 * spread) - 1.0).abs() < 0.11, "{low} {high} {spread}");
}

#[test]
fn intervals_of_macro_f1_hold_the_true_value_about_as_often_as_they_say() {
    // 60 classes of 5 samples: recall, precision and F1 of the population are all 0.8 by symmetry. Plain percentiles
    // hold it in 69 of these experiments, shifted ones in 95.
    let options = Options { resamples: 200, ..Options::default() };
    let held = (0..100).filter(|&seed| {
        let table = Table::random(seed, 300, 60, 0.8);
        let evaluation = evaluate(&table.predictions(), Seed(seed), options).unwrap();
        evaluation.macro_average.f1.interval.unwrap().contains(0.8)
    });
    let held = held.count();
    assert!(held >= 85, "{held} of 100");
}

#[test]
fn a_perfect_result_is_not_certain() {
    let labels: Vec<u32> = (0..40).map(|i| i % 4).collect();
    let perfect = Table::new(&labels, &labels, 4);
    let wanted = wilson(40, 40, Level::DEFAULT);
    for metric in METRICS.iter().map(|entry| entry.metric).filter(|&metric| metric != Metric::Loss) {
        let estimate = *perfect.evaluate().metric(metric);
        assert_eq!((estimate.value, estimate.interval, estimate.method), (1.0, wanted, Method::Wilson), "{metric}");
    }
    let grouped = perfect.grouped((0..40).map(|i| i / 10)).evaluate();
    assert_eq!(grouped.accuracy.interval, wilson(4, 4, Level::DEFAULT));
    assert_eq!(grouped.classes[0].scores.unwrap().recall.interval, wilson(4, 4, Level::DEFAULT));
}

#[test]
fn what_nothing_is_known_of_has_no_interval_and_says_why() {
    // Class 0 is never predicted, class 1 never true, class 2 neither.
    let evaluation = Table::new(&[0, 0, 3, 3], &[1, 1, 3, 3], 4).evaluate();
    let scores = |class: usize| evaluation.classes[class].scores.unwrap();
    for estimate in [scores(0).precision, scores(1).recall] {
        let wanted = Estimate { value: 0.0, interval: None, n: 0, method: Method::ZeroByConvention };
        assert_eq!(estimate, wanted);
        assert!(estimate.method.why().is_some());
    }
    assert_eq!(scores(0).recall.interval, wilson(0, 2, Level::DEFAULT));
    let absent = &evaluation.classes[2];
    assert_eq!((absent.scores, absent.counts.true_negative), (None, 4));
    assert_eq!(absent.why(), Some("the class occurs neither in truth nor in prediction"));

    let one_sample = Table::new(&[0], &[0], 2).evaluate();
    assert_eq!((one_sample.loss.interval, one_sample.loss.method), (None, Method::TooFew));
    assert_eq!(one_sample.accuracy.interval, wilson(1, 1, Level::DEFAULT));
    let one_group = Table::new(&[0, 1, 1], &[0, 1, 0], 2).grouped([5, 5, 5]).evaluate();
    assert_eq!((one_group.accuracy.interval, one_group.accuracy.method), (None, Method::TooFew));
    let no_replicates = Options { resamples: 0, ..Options::default() };
    let table = Table::new(&[0, 1, 1], &[0, 1, 0], 2);
    let evaluation = evaluate(&table.predictions(), Seed(1), no_replicates).unwrap();
    assert!(evaluation.macro_average.f1.interval.is_none() && evaluation.accuracy.interval.is_some());
}

#[test]
fn the_seed_decides_and_nothing_else() {
    let table = Table::random(2, 60, 6, 0.6).grouped((0..60).map(|i| i / 2));
    assert_eq!(table.evaluate(), table.evaluate());
    let other = evaluate(&table.predictions(), Seed(43), Options::default()).unwrap();
    assert_ne!(other.macro_average.f1.interval, table.evaluate().macro_average.f1.interval);
    assert_eq!(other.macro_average.f1.value, table.evaluate().macro_average.f1.value);
}

#[test]
fn a_higher_level_gives_a_wider_interval() {
    let table = Table::random(2, 60, 6, 0.6);
    let width = |level| {
        let options = Options { level: Level::new(level).unwrap(), ..Options::default() };
        let evaluation = evaluate(&table.predictions(), Seed(1), options).unwrap();
        evaluation.headline().iter().map(|(_, e)| e.interval.unwrap()).map(|i| i.high - i.low).collect::<Vec<_>>()
    };
    assert!(width(0.8).iter().zip(width(0.99)).all(|(narrow, wide)| *narrow < wide));
    for level in [0.0, 1.0, -1.0, f64::NAN] {
        assert_eq!(Level::new(level), None);
    }
}

#[test]
fn top_k_breaks_ties_towards_the_higher_index() {
    // sklearn.metrics.top_k_accuracy_score([c], [[1, 1, 1, 0]], k=k, labels=range(4))
    let scores = [1.0, 1.0, 1.0, 0.0];
    for (class, first_k) in [(2, 1), (1, 2), (0, 3), (3, 4)] {
        for k in 1..=5 {
            let wanted = if k >= first_k { 1.0 } else { 0.0 };
            assert_eq!(top_k_accuracy(&[class], &scores, 4, k), Ok(wanted), "class {class}, top {k}");
        }
    }
}

#[test]
fn a_certain_mistake_costs_a_finite_loss() {
    // sklearn.metrics.log_loss([1, 0], [[1.0, 0.0], [1.0, 0.0]]) = 18.0218...
    let loss = log_loss(&[1, 0], &[1.0, 0.0, 1.0, 0.0], 2).unwrap();
    assert!((loss - 18.021_826_694_558_577).abs() < 1e-12, "{loss}");
}

#[test]
fn bad_columns_are_told_by_name_and_row() {
    let good = Table::new(&[0, 1, 2], &[0, 1, 1], 3);
    let with = |probabilities: [f32; 3]| {
        let mut table = Table::new(&[0, 1, 2], &[0, 1, 1], 3);
        table.probabilities[3..6].copy_from_slice(&probabilities);
        table
    };
    for (table, wanted) in [
        (Table::new(&[], &[], 3), "there is no sample to evaluate"),
        (Table::new(&[0, 1], &[0], 2), "prediction holds 1 values where 2 are needed"),
        (Table::new(&[0, 3], &[0, 1], 3), "row 1: truth is class 3, but there are only 3 classes"),
        (Table::new(&[0, 2], &[0, 3], 3), "row 1: prediction is class 3, but there are only 3 classes"),
        (Table { classes: 0, ..Table::new(&[0], &[0], 1) }, "row 0: truth is class 0, but there are only 0 classes"),
        (Table { probabilities: vec![1.0; 8], ..good }, "probabilities holds 8 values where 9 are needed"),
        (Table::new(&[0, 1], &[0, 1], 2).grouped([1]), "groups holds 1 values where 2 are needed"),
        (with([0.5, f32::NAN, 0.5]), "row 1: the score of class 1 is not a number"),
        (with([1.5, -0.5, 0.0]), "row 1: the probability of class 0 is 1.5, outside 0 to 1"),
        (with([0.0, f32::NEG_INFINITY, 1.0]), "row 1: the probability of class 1 is -inf, outside 0 to 1"),
        (with([0.5, 0.5, 0.5]), "row 1: the probabilities sum to 1.5, not to 1"),
    ] {
        let error = evaluate(&table.predictions(), Seed(1), Options::default()).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
    assert_eq!(top_k_accuracy(&[0], &[1.0], 1, 0), Err(LabelError::TopZero));
    assert_eq!(top_k_accuracy(&[0], &[f32::NAN], 1, 1), Err(LabelError::NotANumber { row: 0, class: 0 }));
}
