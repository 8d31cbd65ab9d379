//! What must hold for any labels.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use avizor_base::Seed;
use avizor_metrics::{Confusion, Evaluation, Level, Options, Predictions, Scores, evaluate, wilson};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Sample {
    truth: u32,
    prediction: u32,
    group: u32,
    weights: Vec<u8>,
}

/// Up to 60 samples over up to 7 classes, in up to 8 groups.
fn samples() -> impl Strategy<Value = (usize, Vec<Sample>)> {
    (1usize..=7).prop_flat_map(|classes| {
        let label = 0..classes as u32;
        let sample = (label.clone(), label, 0u32..8, prop::collection::vec(0u8..5, classes));
        let sample =
            sample.prop_map(|(truth, prediction, group, weights)| Sample { truth, prediction, group, weights });
        (Just(classes), prop::collection::vec(sample, 1..60))
    })
}

fn column(samples: &[Sample], read: impl Fn(&Sample) -> u32) -> Vec<u32> {
    samples.iter().map(read).collect()
}

fn confusion(classes: usize, samples: &[Sample]) -> Confusion {
    let (truth, prediction) = (column(samples, |s| s.truth), column(samples, |s| s.prediction));
    Confusion::new(&truth, &prediction, classes).unwrap()
}

fn evaluation(classes: usize, samples: &[Sample], groups: Option<&[u32]>) -> Evaluation {
    let probabilities: Vec<f32> = samples
        .iter()
        .flat_map(|sample| {
            let sum: f32 = sample.weights.iter().map(|&weight| f32::from(weight) + 0.5).sum();
            sample.weights.iter().map(move |&weight| (f32::from(weight) + 0.5) / sum)
        })
        .collect();
    let predictions = Predictions {
        truth: &column(samples, |s| s.truth),
        prediction: &column(samples, |s| s.prediction),
        probabilities: &probabilities,
        classes,
        groups,
    };
    evaluate(&predictions, Seed(42), Options { resamples: 50, ..Options::default() }).unwrap()
}

/// How far apart two sums of 60 terms may be for their order alone.
const ORDER: f64 = 1e-13;

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn weighted_recall_is_accuracy((classes, samples) in samples()) {
        let summary = confusion(classes, &samples).summary();
        prop_assert!((summary.weighted_average.recall - summary.accuracy).abs() < ORDER);
    }

    #[test]
    fn counts_add_up((classes, samples) in samples()) {
        let confusion = confusion(classes, &samples);
        let n = samples.len() as u64;
        prop_assert_eq!(confusion.rows().iter().flatten().sum::<u64>(), n);
        for class in 0..classes {
            let counts = confusion.class_counts(class).unwrap();
            prop_assert_eq!(counts.support() + counts.false_positive + counts.true_negative, n);
            prop_assert_eq!(counts.support(), confusion.row(class).iter().sum::<u64>());
            prop_assert_eq!(counts.true_positive, confusion.count(class, class));
            let shares = confusion.normalised_row(class);
            prop_assert_eq!(shares.is_some(), counts.support() > 0);
            prop_assert!(shares.is_none_or(|row| (row.iter().sum::<f64>() - 1.0).abs() < ORDER));
            if let Some(Scores { precision, recall, f1 }) = confusion.class_scores(class) {
                let harmonic = if f1 > 0.0 { 2.0 / (1.0 / precision + 1.0 / recall) } else { 0.0 };
                prop_assert!((f1 - harmonic).abs() < ORDER);
            }
        }
    }

    #[test]
    fn the_order_of_samples_changes_no_value((classes, samples) in samples()) {
        let reversed: Vec<Sample> = samples.iter().rev().cloned().collect();
        prop_assert_eq!(confusion(classes, &samples), confusion(classes, &reversed));
        let (a, b) = (evaluation(classes, &samples, None), evaluation(classes, &reversed, None));
        for ((name, a), (_, b)) in a.headline().into_iter().zip(b.headline()) {
            prop_assert!((a.value - b.value).abs() < ORDER * a.value.max(1.0), "{}: {} {}", name, a.value, b.value);
        }
    }

    #[test]
    fn intervals_contain_their_value_and_stay_in_range((classes, samples) in samples()) {
        let groups = column(&samples, |s| s.group);
        for groups in [None, Some(groups.as_slice())] {
            let evaluation = evaluation(classes, &samples, groups);
            let scores = evaluation.classes.iter().filter_map(|class| class.scores);
            let scores = scores.flat_map(|scores| [scores.precision, scores.recall, scores.f1]);
            let errors = evaluation.classes.iter().map(|class| class.error_rate);
            let headline = evaluation.headline().into_iter().filter(|(name, _)| *name != "loss").map(|(_, e)| *e);
            for estimate in scores.chain(errors).chain(headline).chain([evaluation.loss]) {
                prop_assert_eq!(estimate.interval.is_none(), estimate.method.why().is_some());
                prop_assert!(estimate.interval.is_none_or(|i| i.contains(estimate.value)), "{:?}", estimate);
                prop_assert!(estimate.interval.is_none_or(|i| i.low >= 0.0), "{:?}", estimate);
                let bounded = estimate == evaluation.loss || estimate.interval.is_none_or(|i| i.high <= 1.0);
                prop_assert!(bounded, "{:?}", estimate);
            }
        }
    }

    #[test]
    fn groups_of_one_sample_are_no_groups((classes, samples) in samples(), offset in 0u32..1_000_000) {
        // Ids fall from high to low, so that their order is not that of the samples.
        let groups: Vec<u32> = (0..samples.len() as u32).map(|i| u32::MAX - offset - 7 * i).collect();
        let mut grouped = evaluation(classes, &samples, Some(&groups));
        prop_assert_eq!(grouped.groups, Some(samples.len()));
        grouped.groups = None;
        prop_assert_eq!(grouped, evaluation(classes, &samples, None));
    }

    #[test]
    fn names_of_groups_do_not_matter((classes, samples) in samples()) {
        let groups = column(&samples, |s| s.group);
        let renamed = column(&samples, |s| 1_000_000 - 13 * s.group);
        prop_assert_eq!(
            evaluation(classes, &samples, Some(&groups)),
            evaluation(classes, &samples, Some(&renamed))
        );
    }

    #[test]
    fn wilson_mirrors_and_shrinks(n in 1u64..10_000, share in 0.0..=1.0, level in 0.01..0.999) {
        let hits = (n as f64 * share) as u64;
        let level = Level::new(level).unwrap();
        let interval = wilson(hits, n, level).unwrap();
        let mirrored = wilson(n - hits, n, level).unwrap();
        prop_assert!((interval.low - (1.0 - mirrored.high)).abs() < 1e-12);
        let larger = wilson(hits * 4, n * 4, level).unwrap();
        prop_assert!(larger.high - larger.low < interval.high - interval.low);
        prop_assert!(interval.contains(hits as f64 / n as f64));
        prop_assert!(wilson(n + 1, n, level).is_none());
    }
}
