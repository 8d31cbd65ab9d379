//! What the metrics say beyond their values: how far they can be trusted.

use avizor_base::Split;
use avizor_store::{PartMetrics, Predictions, RunState};

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
