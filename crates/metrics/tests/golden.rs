//! Equal to scikit-learn and SciPy: golden values by `scripts/golden_metrics.py`, which holds the same formulas.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use avizor_base::Seed;
use avizor_metrics::{
    Confusion, Level, Options, PairedAccuracy, Predictions, ScoreEstimates, Scores, evaluate, log_loss,
    normal_quantile, top_k_accuracy, wilson,
};

/// Sums of at most 600 terms in another order: 600 · 2⁻⁵³ < 1e-13, with room for the quotients.
const ROUNDING: f64 = 1e-12;

struct Case {
    name: &'static str,
    classes: u32,
    n: u32,
    right: u32,
    not_in_truth: &'static [u32],
    not_in_prediction: &'static [u32],
    levels: u32,
}

const fn case(name: &'static str, classes: u32, n: u32, right: u32, levels: u32) -> Case {
    Case { name, classes, n, right, not_in_truth: &[], not_in_prediction: &[], levels }
}

const CASES: &[Case] = &[
    case("plain", 3, 30, 70, 1000),
    case("one_sample", 2, 1, 100, 1000),
    case("two_classes", 2, 41, 80, 1000),
    case("single_class", 1, 7, 100, 1000),
    Case { not_in_truth: &[2], ..case("absent_from_truth", 5, 60, 50, 1000) },
    Case { not_in_prediction: &[4], ..case("absent_from_prediction", 5, 60, 50, 1000) },
    Case { not_in_truth: &[1, 5], not_in_prediction: &[1, 5], ..case("absent_from_both", 6, 60, 60, 1000) },
    Case { not_in_truth: &[0, 1], not_in_prediction: &[2, 3], ..case("all_wrong", 4, 20, 0, 1000) },
    case("perfect", 4, 20, 100, 1000),
    case("ties", 8, 100, 60, 3),
    case("all_tied", 7, 50, 60, 1),
    Case { not_in_truth: &[150], ..case("many_classes", 151, 600, 70, 1000) },
];
const TOP: [usize; 5] = [1, 2, 3, 5, 200];

struct Inputs {
    truth: Vec<u32>,
    prediction: Vec<u32>,
    scores: Vec<f32>,
    probabilities: Vec<f32>,
}

fn draw(i: u32, salt: u32) -> u32 {
    let mut x = i.wrapping_mul(2_654_435_761).wrapping_add(salt.wrapping_mul(2_246_822_519)).wrapping_add(374_761_393);
    x ^= x >> 15;
    x = x.wrapping_mul(2_246_822_519);
    x ^= x >> 13;
    x = x.wrapping_mul(3_266_489_917);
    x ^ (x >> 16)
}

impl Case {
    fn inputs(&self) -> Inputs {
        let allowed = |mut label: u32, absent: &[u32]| {
            while absent.contains(&label) {
                label = (label + 1) % self.classes;
            }
            label
        };
        let truth: Vec<u32> = (0..self.n).map(|i| allowed(draw(i, 1) % self.classes, self.not_in_truth)).collect();
        let guess = |i: u32| if draw(i, 2) % 100 < self.right { truth[i as usize] } else { draw(i, 3) % self.classes };
        let prediction = (0..self.n).map(|i| allowed(guess(i), self.not_in_prediction)).collect();
        let (mut scores, mut probabilities) = (Vec::new(), Vec::new());
        for i in 0..self.n {
            let row: Vec<u32> = (0..self.classes).map(|j| draw(i * self.classes + j, 4) % self.levels + 1).collect();
            let sum = f64::from(row.iter().sum::<u32>());
            scores.extend(row.iter().map(|&score| score as f32));
            probabilities.extend(row.iter().map(|&score| (f64::from(score) / sum) as f32));
        }
        Inputs { truth, prediction, scores, probabilities }
    }
}

/// The lines of a golden file: (case, name) → numbers.
fn golden(text: &str) -> BTreeMap<(&str, &str), Vec<f64>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split(' ');
            let key = (words.next().unwrap(), words.next().unwrap());
            (key, words.map(|word| word.parse().unwrap()).collect())
        })
        .collect()
}

/// Fails with the place of the first number that differs; NaN equals NaN.
fn check(case: &str, name: &str, got: &[f64], wanted: &[f64]) {
    assert_eq!(got.len(), wanted.len(), "{case} {name}: how many numbers");
    for (place, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        let near = (got - wanted).abs() <= ROUNDING * wanted.abs().max(f64::MIN_POSITIVE);
        assert!(near || (got.is_nan() && wanted.is_nan()), "{case} {name} {place}: got {got}, wanted {wanted}");
    }
}

fn triple(scores: Scores) -> [f64; 3] {
    [scores.precision, scores.recall, scores.f1]
}

fn values(estimates: &ScoreEstimates) -> [f64; 3] {
    [estimates.precision.value, estimates.recall.value, estimates.f1.value]
}

/// The numbers of a case under the names of the golden file.
fn computed(case: &Case) -> BTreeMap<&'static str, Vec<f64>> {
    let Inputs { truth, prediction, scores, probabilities } = case.inputs();
    let classes = case.classes as usize;
    let confusion = Confusion::new(&truth, &prediction, classes).unwrap();
    let summary = confusion.summary();
    let per_class: Vec<[f64; 3]> =
        (0..classes).map(|class| confusion.class_scores(class).map_or([f64::NAN; 3], triple)).collect();
    let column = |i: usize| per_class.iter().map(|row| row[i]).collect();
    let counts = (0..classes).map(|class| confusion.class_counts(class).unwrap()).flat_map(|counts| {
        [counts.true_positive, counts.false_positive, counts.false_negative, counts.true_negative].map(|n| n as f64)
    });
    let cells = confusion.cells().iter();
    let shares =
        cells.clone().map(|cell| confusion.normalised_row(cell.truth as usize).unwrap()[cell.prediction as usize]);
    let mut numbers = BTreeMap::from([
        ("accuracy", vec![summary.accuracy]),
        ("balanced_accuracy", vec![summary.balanced_accuracy]),
        ("macro", triple(summary.macro_average).to_vec()),
        ("weighted", triple(summary.weighted_average).to_vec()),
        ("precision", column(0)),
        ("recall", column(1)),
        ("f1", column(2)),
        ("tp_fp_fn_tn", counts.collect()),
        ("cells", cells.flat_map(|cell| [cell.truth.into(), cell.prediction.into(), cell.count as f64]).collect()),
        ("shares", shares.collect()),
    ]);
    if classes > 1 {
        numbers.insert("loss", vec![log_loss(&truth, &probabilities, classes).unwrap()]);
    }
    if classes > 2 {
        let top = TOP.map(|k| top_k_accuracy(&truth, &scores, classes, k).unwrap());
        numbers.insert("top", top.to_vec());
    }
    numbers
}

#[test]
fn every_number_equals_scikit_learns() {
    let golden = golden(include_str!("golden/labels.txt"));
    let mut seen = 0;
    for case in CASES {
        for (name, got) in computed(case) {
            check(case.name, name, &got, &golden[&(case.name, name)]);
            seen += 1;
        }
    }
    assert_eq!(seen, golden.len(), "golden values that nobody computed");
}

#[test]
fn an_evaluation_holds_the_same_numbers() {
    let golden = golden(include_str!("golden/labels.txt"));
    for case in CASES {
        let Inputs { truth, prediction, probabilities, .. } = case.inputs();
        let classes = case.classes as usize;
        let predictions = Predictions {
            truth: &truth,
            prediction: &prediction,
            probabilities: &probabilities,
            classes,
            groups: None,
        };
        let options = Options { resamples: 10, ..Options::default() };
        let evaluation = evaluate(&predictions, Seed(1), options).unwrap();
        let wanted = |name| golden[&(case.name, name)].as_slice();
        check(case.name, "accuracy", &[evaluation.accuracy.value], wanted("accuracy"));
        check(case.name, "balanced_accuracy", &[evaluation.balanced_accuracy.value], wanted("balanced_accuracy"));
        check(case.name, "macro", &values(&evaluation.macro_average), wanted("macro"));
        check(case.name, "weighted", &values(&evaluation.weighted_average), wanted("weighted"));
        for (i, name) in ["precision", "recall", "f1"].into_iter().enumerate() {
            let scores = evaluation.classes.iter().map(|class| class.scores.as_ref().map(|scores| values(scores)[i]));
            let got: Vec<f64> = scores.map(|score| score.unwrap_or(f64::NAN)).collect();
            check(case.name, name, &got, wanted(name));
        }
        for class in &evaluation.classes {
            assert_eq!(class.scores.is_none(), class.why().is_some(), "{}: a null has its reason", case.name);
        }
        if classes > 1 {
            check(case.name, "loss", &[evaluation.loss.value], wanted("loss"));
        }
        for (k, top) in [(3, evaluation.top_3_accuracy), (5, evaluation.top_5_accuracy)] {
            assert_eq!(top.is_some(), classes > k, "{}: top-{k}", case.name);
            // Rounded to f32, quotients of equal scores stay equal and of others keep their order.
            if let (Some(top), Some(place)) = (top, TOP.iter().position(|&known| known == k)) {
                check(case.name, "top", &[top.value], &wanted("top")[place..=place]);
            }
        }
    }
}

#[test]
fn quantiles_and_wilson_intervals_equal_scipys() {
    let golden = golden(include_str!("golden/intervals.txt"));
    for ((kind, name), wanted) in &golden {
        let got = match *kind {
            "quantile" => vec![normal_quantile(name.parse().unwrap())],
            _ => {
                let (counts, level) = name.split_once('@').unwrap();
                let (hits, n) = counts.split_once('/').unwrap();
                let level = Level::new(level.parse().unwrap()).unwrap();
                let interval = wilson(hits.parse().unwrap(), n.parse().unwrap(), level).unwrap();
                vec![interval.low, interval.high]
            }
        };
        check(kind, name, &got, wanted);
    }
    assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    assert_eq!(normal_quantile(1.0), f64::INFINITY);
    for outside in [-0.1, 1.1, f64::NAN] {
        assert!(normal_quantile(outside).is_nan());
    }
}

#[test]
fn paired_differences_are_newcombes_and_mcnemars() {
    let golden = golden(include_str!("golden/paired.txt"));
    let mut seen = 0;
    for ((case, name), want) in golden.iter().filter(|((case, _), _)| *case == "newcombe") {
        let (counts, level) = name.split_once('@').unwrap();
        let counts: Vec<usize> = counts.split('/').map(|count| count.parse().unwrap()).collect();
        // Whether each of the two is right: both, the first, the second, neither.
        let pairs = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let samples: Vec<_> =
            pairs.iter().zip(&counts).flat_map(|(&pair, &count)| std::iter::repeat_n(pair, count)).collect();
        let (first, second): (Vec<u32>, Vec<u32>) = samples.into_iter().unzip();
        let options = Options { level: Level::new(level.parse().unwrap()).unwrap(), ..Options::default() };
        let truth = vec![0; first.len()];
        let paired = PairedAccuracy::new(&truth, &first, &second, None, Seed(1), options).unwrap();
        let interval = paired.difference.interval.unwrap();
        check(case, name, &[interval.low, interval.high], want);
        assert!(interval.contains(paired.difference.value), "{name}");
        let test = format!("{}/{}", counts[1], counts[2]);
        check("mcnemar", &test, &[paired.p.unwrap()], &golden[&("mcnemar", test.as_str())]);
        seen += 1;
    }
    assert!(seen > 20, "{seen} intervals");
}

#[test]
fn grouped_differences_are_resampled_by_group() {
    let truth = vec![0; 40];
    let first: Vec<u32> = (0..40).map(|i| u32::from(i % 4 == 0)).collect();
    let second: Vec<u32> = (0..40).map(|i| u32::from(i % 10 == 0)).collect();
    let groups: Vec<u32> = (0..40).map(|i| i / 4).collect();
    let compare = |second: &[u32], groups: &[u32]| {
        PairedAccuracy::new(&truth, &first, second, Some(groups), Seed(1), Options::default()).unwrap()
    };
    let paired = compare(&second, &groups);
    let interval = paired.difference.interval.unwrap();
    assert_eq!((paired.difference.method.name(), paired.p), ("cluster_bootstrap", None));
    assert!(interval.low > 0.0 && interval.high < 0.35 && interval.contains(0.15), "{interval:?}");
    // Without a difference, so many groups cannot exclude a small one.
    let same = compare(&first, &groups).difference;
    let bounds = same.interval.unwrap();
    assert!(same.value == 0.0 && bounds.low < -0.2 && bounds.high == -bounds.low, "{bounds:?}");
    assert!(compare(&second, &[0; 40]).difference.interval.is_none());
}
