//! What the metrics say beyond their values: how far they can be trusted.

use avizor_base::Split;
use avizor_store::{FineTuning, PartMetrics, Predictions, RunState};

use crate::finding::{Finding, Tone};
use crate::stored::Stored;
use crate::{name, number};

/// An interval wider than this leaves too much open.
const WIDE: f64 = 0.10;

/// Numbers of a class rest on little below this many pictures.
const FEW: u64 = 10;

/// A macro F1 this far under the accuracy tells of classes that fail.
const UNEVEN: f64 = 0.05;

/// A mean confidence this far over the accuracy is too sure of itself.
const OVERCONFIDENT: f64 = 0.05;

pub(super) fn find(stored: &Stored, findings: &mut Vec<Finding>) {
    findings.extend(state(stored));
    findings.extend(stored.metrics.fine_tuning.as_ref().and_then(gained));
    let Some((split, part)) = stored.main_part() else { return };
    findings.extend(chosen_on_it(stored, split));
    findings.extend(no_better_than_guessing(part));
    findings.extend(wide_interval(part, split));
    findings.extend(classes_without_pictures(part, split));
    findings.extend(classes_with_few(part, split));
    findings.extend(classes_never_predicted(part));
    findings.extend(uneven(part));
    findings.extend(gap(stored));
    if split == Split::Test {
        findings.extend(stored.predictions.as_ref().and_then(|predictions| overconfident(part, predictions)));
    }
}

/// The most frequent class of a part, and the accuracy of always answering it.
pub(crate) fn always_the_same(part: &PartMetrics) -> Option<(&str, f64)> {
    let (name, class) = part.classes.iter().max_by_key(|(_, class)| class.support)?;
    (part.n > 0).then(|| (name, class.support as f64 / part.n as f64))
}

fn state(stored: &Stored) -> Option<Finding> {
    let why = stored.info.reason.as_deref().map(|why| format!(" ({})", name::shown(why))).unwrap_or_default();
    match stored.info.state {
        RunState::Finished => None,
        RunState::Running => {
            Some(Finding::new(Tone::Problem, "This run has not ended: the page shows what was stored so far."))
        }
        RunState::Interrupted => Some(Finding::new(
            Tone::Problem,
            format!("This run was interrupted{why}: it can be continued with avizor resume."),
        )),
        RunState::Failed => Some(Finding::new(Tone::Problem, format!("This run failed{why}."))),
    }
}

/// Whether training all of the network was worth it.
fn gained(fine_tuning: &FineTuning) -> Option<Finding> {
    let head = fine_tuning.head_accuracy.value()?;
    let Some(gain) = fine_tuning.gain.value() else {
        let why = fine_tuning.gain.why()?;
        return Some(Finding::new(
            Tone::Care,
            format!("Training more than the head gained nothing: {}.", name::shown(why)),
        ));
    };
    let beside = format!(
        "On the {} part, a head on the frozen network is right {} of the time; training all of it",
        fine_tuning.part,
        number::percent(head)
    );
    let (low, high) = fine_tuning.gain.interval()?;
    let range = format!(
        "{} points ({} % interval {} to {})",
        number::points(gain),
        number::level(fine_tuning.level),
        number::points(low),
        number::points(high)
    );
    Some(if low > 0.0 {
        Finding::new(Tone::Fine, format!("{beside} gained {range}."))
    } else if high < 0.0 {
        Finding::new(Tone::Problem, format!("{beside} lost: {range}. Take the head, or train more gently."))
    } else {
        Finding::new(Tone::Care, format!("{beside} changed that by {range}: no gain is proven."))
    })
}

/// Numbers of val flatter; so does a test part that was looked at before.
fn chosen_on_it(stored: &Stored, split: Split) -> Option<Finding> {
    let times = stored.info.test_evaluations;
    match (split, times) {
        (Split::Test, 0 | 1) => Some(Finding::new(
            Tone::Fine,
            "The test part was evaluated once, for the network that was chosen on the validation part.",
        )),
        (Split::Test, _) => Some(Finding::new(
            Tone::Care,
            format!(
                "The test part was evaluated {times} times. If any choice was made in between, its numbers are too good."
            ),
        )),
        _ => Some(Finding::new(
            Tone::Problem,
            "There is no test result: these numbers are of the validation part, by which the network was chosen, and \
             are therefore too good.",
        )),
    }
}

fn no_better_than_guessing(part: &PartMetrics) -> Option<Finding> {
    let (class, share) = always_the_same(part)?;
    let low = part.accuracy.interval()?.0;
    (low <= share).then(|| {
        let text = format!(
            "This is not clearly better than always answering {}, which would be right {} of the time.",
            name::list(&[class]),
            number::percent(share)
        );
        Finding::new(Tone::Problem, text)
    })
}

fn wide_interval(part: &PartMetrics, split: Split) -> Option<Finding> {
    let (low, high) = part.accuracy.interval()?;
    (high - low > WIDE).then(|| {
        let text = format!(
            "The {split} part is small ({}): the accuracy is known only to lie between {} and {}. A difference of a few \
             points to another run says nothing.",
            number::counted(part.n, "picture"),
            number::percent(low),
            number::percent(high)
        );
        Finding::new(Tone::Care, text)
    })
}

fn classes_where(part: &PartMetrics, wanted: impl Fn(&avizor_store::ClassMetrics) -> bool) -> Vec<&str> {
    part.classes.iter().filter(|(_, class)| wanted(class)).map(|(name, _)| name).collect()
}

fn classes_without_pictures(part: &PartMetrics, split: Split) -> Option<Finding> {
    let missing = classes_where(part, |class| class.support == 0);
    (!missing.is_empty()).then(|| {
        let text = format!(
            "The {split} part has no picture of {}: nothing is known about how well {} recognised.",
            name::list(&missing),
            if missing.len() == 1 { "it is" } else { "they are" }
        );
        Finding::new(Tone::Care, text)
    })
}

fn classes_with_few(part: &PartMetrics, split: Split) -> Option<Finding> {
    let few = classes_where(part, |class| (1..FEW).contains(&class.support));
    (!few.is_empty()).then(|| {
        let text = format!(
            "{} of {} classes {} fewer than {FEW} pictures in the {split} part ({}): their own numbers are little more \
             than anecdotes.",
            few.len(),
            part.classes.len(),
            if few.len() == 1 { "has" } else { "have" },
            name::list(&few)
        );
        Finding::new(Tone::Care, text)
    })
}

fn classes_never_predicted(part: &PartMetrics) -> Option<Finding> {
    let never = classes_where(part, |class| class.support > 0 && class.true_positives + class.false_positives == 0);
    (!never.is_empty()).then(|| Finding::new(Tone::Care, format!("The network never answers {}.", name::list(&never))))
}

fn uneven(part: &PartMetrics) -> Option<Finding> {
    let (accuracy, macro_f1) = (part.accuracy.value()?, part.macro_f1.value()?);
    let lowest = part.classes.iter().filter(|(_, class)| class.support > 0);
    let (worst, f1) =
        lowest.filter_map(|(name, class)| Some((name, class.f1.value()?))).min_by(|a, b| a.1.total_cmp(&b.1))?;
    (accuracy - macro_f1 > UNEVEN).then(|| {
        let text = format!(
            "The classes do not fare alike: macro F1 ({}) lies well under the accuracy ({}), and the worst class, {}, \
             reaches an F1 of {}.",
            number::percent(macro_f1),
            number::percent(accuracy),
            name::list(&[worst]),
            number::percent(f1)
        );
        Finding::new(Tone::Care, text)
    })
}

/// Whether val and test agree.
fn gap(stored: &Stored) -> Option<Finding> {
    let (test, val) = (stored.metrics.test.as_ref()?, stored.metrics.val.as_ref()?);
    let (test_value, val_value) = (test.accuracy.value()?, val.accuracy.value()?);
    let ((test_low, test_high), (val_low, val_high)) = (test.accuracy.interval()?, val.accuracy.interval()?);
    let values = format!("{} on val, {} on test", number::percent(val_value), number::percent(test_value));
    if test_high < val_low || val_high < test_low {
        let text = format!(
            "Validation and test disagree by more than chance ({values}): the two parts differ, or choices have fitted \
             the validation part."
        );
        return Some(Finding::new(Tone::Care, text));
    }
    Some(Finding::new(Tone::Fine, format!("Validation and test agree within their intervals ({values}).")))
}

fn overconfident(part: &PartMetrics, predictions: &Predictions) -> Option<Finding> {
    let confidences = predictions.rows.iter().filter(|row| row.label.is_some());
    let confidences: Vec<f64> =
        confidences.filter_map(|row| row.probabilities.get(row.prediction.index()).copied()).map(f64::from).collect();
    let mean = confidences.iter().sum::<f64>() / confidences.len() as f64;
    let (accuracy, (low, high)) = (part.accuracy.value()?, part.accuracy.interval()?);
    let values =
        format!("it says {} on average and is right {} of the time", number::percent(mean), number::percent(accuracy));
    if mean > high && mean - accuracy > OVERCONFIDENT {
        return Some(Finding::new(
            Tone::Care,
            format!("The network is too sure of itself: {values}. Do not read its probabilities as chances."),
        ));
    }
    if mean < low && accuracy - mean > OVERCONFIDENT {
        return Some(Finding::new(Tone::Care, format!("The network is less sure than it may be: {values}.")));
    }
    None
}

#[cfg(test)]
mod tests {
    use avizor_base::{ClassId, ClassList, Seed};
    use avizor_metrics::{Options, evaluate};
    use avizor_store::{DataInfo, Format, History, Machine, Measure, Metrics, PredictionRow, RunInfo};

    use super::*;

    /// A part in which each (label, prediction) happens so often; all predictions are made with the same confidence.
    fn part(classes: &[&str], cells: &[(u32, u32, usize)]) -> PartMetrics {
        let pairs: Vec<(u32, u32)> =
            cells.iter().flat_map(|&(label, prediction, n)| vec![(label, prediction); n]).collect();
        let truth: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
        let prediction: Vec<u32> = pairs.iter().map(|pair| pair.1).collect();
        let probabilities = vec![1.0 / classes.len() as f32; pairs.len() * classes.len()];
        let predictions = avizor_metrics::Predictions {
            truth: &truth,
            prediction: &prediction,
            probabilities: &probabilities,
            classes: classes.len(),
            groups: None,
        };
        let options = Options { resamples: 20, ..Options::default() };
        let evaluation = evaluate(&predictions, Seed(1), options).unwrap();
        let classes = ClassList::from_ordered(classes.iter().map(|&name| name.to_owned()).collect()).unwrap();
        PartMetrics::from_evaluation(&evaluation, &classes).unwrap()
    }

    fn stored(test: Option<PartMetrics>, val: Option<PartMetrics>) -> Stored {
        Stored {
            name: "run".into(),
            info: RunInfo {
                format: Format,
                state: RunState::Finished,
                reason: None,
                command: vec![],
                version: "0.1.0".into(),
                seed: 1,
                machine: Machine { level: "scalar".into(), threads: 1, system: "linux".into(), processor: None },
                started: "2026-11-22T14:03:05Z".into(),
                ended: None,
                seconds: None,
                data: DataInfo { path: "photos".into(), fingerprint: "0".into(), samples: 1, classes: 1 },
                network: None,
                test_evaluations: 1,
                notes: vec![],
            },
            recipe: None,
            metrics: Metrics { format: Format, test, val, fine_tuning: None },
            history: History::default(),
            samples: None,
            balance: None,
            audit: None,
            predictions: None,
            gallery: vec![],
        }
    }

    fn texts(stored: &Stored) -> Vec<String> {
        let mut findings = Vec::new();
        find(stored, &mut findings);
        findings.into_iter().map(|finding| format!("{}: {}", finding.tone.word(), finding.text)).collect()
    }

    #[test]
    fn what_fine_tuning_gained_is_told_by_its_interval() {
        let head_accuracy = Measure::estimate(0.9, [0.8, 0.95], 78, "wilson");
        let told = |gain: Measure| {
            let (part, head_accuracy) = (Split::Test, head_accuracy.clone());
            let tuned = FineTuning { part, level: 0.95, head_accuracy, gain, only_head: 1, only_tuned: 4, p: None };
            let finding = gained(&tuned).unwrap();
            format!("{}: {}", finding.tone.word(), finding.text.replace('\u{a0}', " "))
        };
        let gain = |value, interval| told(Measure::estimate(value, interval, 78, "newcombe"));
        let beside = "On the test part, a head on the frozen network is right 90.0 % of the time; training all of it";
        assert_eq!(
            [gain(0.04, [0.01, 0.07]), gain(0.04, [-0.01, 0.09]), gain(-0.04, [-0.07, -0.01])],
            [
                format!("Fine: {beside} gained +4.0 points (95 % interval +1.0 to +7.0)."),
                format!("Care: {beside} changed that by +4.0 points (95 % interval −1.0 to +9.0): no gain is proven."),
                format!(
                    "Problem: {beside} lost: −4.0 points (95 % interval −7.0 to −1.0). Take the head, or train more gently."
                ),
            ]
        );
        assert_eq!(told(Measure::undefined("kept")), "Care: Training more than the head gained nothing: kept.");
    }

    #[test]
    fn numbers_are_put_into_words() {
        let good = || part(&["cat", "dog"], &[(0, 0, 480), (0, 1, 20), (1, 1, 480), (1, 0, 20)]);
        let cases = [
            ("nothing", stored(None, None), vec![]),
            ("good", stored(Some(good()), None), vec!["Fine: The test part was evaluated once"]),
            ("val only", stored(None, Some(good())), vec!["Problem: There is no test result"]),
            (
                "agreeing parts",
                stored(Some(good()), Some(good())),
                vec!["Fine: The test part", "Fine: Validation and test agree within"],
            ),
            (
                "parts that differ",
                stored(Some(good()), Some(part(&["cat", "dog"], &[(0, 0, 500), (1, 1, 499), (1, 0, 1)]))),
                vec!["Fine: The test part", "Care: Validation and test disagree by more than chance"],
            ),
            (
                "one class always",
                stored(Some(part(&["cat", "dog"], &[(0, 0, 900), (1, 0, 100)])), None),
                vec![
                    "Fine: The test part",
                    "Problem: This is not clearly better than always answering “cat”",
                    "Care: The network never answers “dog”",
                    "Care: The classes do not fare alike",
                ],
            ),
            (
                "small",
                stored(Some(part(&["cat", "dog", "owl"], &[(0, 0, 20), (1, 1, 5), (1, 0, 1)])), None),
                vec![
                    "Fine: The test part",
                    "Care: The test part is small (26\u{a0}pictures)",
                    "Care: The test part has no picture of “owl”: nothing is known about how well it is recognised",
                    "Care: 1 of 3 classes has fewer than 10 pictures",
                ],
            ),
        ];
        for (name, stored, starts) in cases {
            let texts = texts(&stored);
            assert_eq!(texts.len(), starts.len(), "{name}: {texts:#?}");
            for (text, start) in texts.iter().zip(starts) {
                assert!(text.starts_with(start), "{name}: {text}");
            }
        }
    }

    #[test]
    fn confidence_is_held_against_accuracy() {
        let good = part(&["cat", "dog"], &[(0, 0, 400), (0, 1, 100), (1, 1, 400), (1, 0, 100)]);
        for (probability, start) in
            [(0.99, Some("The network is too sure")), (0.8, None), (0.6, Some("The network is less sure"))]
        {
            let row = PredictionRow {
                sample: "x".into(),
                group: None,
                label: Some(ClassId(0)),
                prediction: ClassId(0),
                weight: 1.0,
                probabilities: vec![probability, 1.0 - probability],
            };
            let classes = ClassList::from_labels(["cat", "dog"]).unwrap();
            let finding = overconfident(&good, &Predictions { classes, rows: vec![row; 3] });
            let text = finding.map(|finding| finding.text);
            assert_eq!(text.is_some(), start.is_some(), "{text:?}");
            assert!(text.is_none_or(|text| start.is_some_and(|start| text.starts_with(start))));
        }
        let classes = ClassList::from_labels(["cat", "dog"]).unwrap();
        assert_eq!(overconfident(&good, &Predictions { classes, rows: vec![] }), None);
    }

    #[test]
    fn an_unfinished_run_and_a_second_look_are_told() {
        let mut stored = stored(Some(part(&["cat"], &[(0, 0, 500)])), None);
        stored.info.test_evaluations = 3;
        stored.info.reason = Some("disk full".into());
        for (state, start) in [
            (RunState::Running, "Problem: This run has not ended"),
            (RunState::Interrupted, "Problem: This run was interrupted (disk full)"),
            (RunState::Failed, "Problem: This run failed (disk full)."),
        ] {
            stored.info.state = state;
            let texts = texts(&stored);
            assert!(texts[0].starts_with(start), "{texts:?}");
            assert!(texts[1].starts_with("Care: The test part was evaluated 3 times."), "{texts:?}");
        }
        let undefined = PartMetrics { accuracy: Measure::undefined("no picture"), ..part(&["cat"], &[(0, 0, 5)]) };
        stored.metrics.test = Some(undefined);
        assert!(texts(&stored).len() >= 2);
    }
}
