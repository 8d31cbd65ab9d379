//! What the curves of training say.

use avizor_store::History;

use crate::finding::{Finding, Tone};
use crate::number;

/// Over this factor of its minimum, a validation loss at the end counts as risen.
const RISEN: f64 = 1.1;

/// Epochs after the minimum from which on a rise is no chance.
const LEAST_AFTER: usize = 2;

/// A training loss that stays over this share of its first value has hardly fallen.
const HARDLY_FALLEN: f64 = 0.95;

/// From this difference of accuracies on, the network knows its training pictures by heart.
const MEMORISED: f64 = 0.15;

/// Findings in the order in which training is read: did it learn, did it overfit, did it end too soon.
pub(crate) fn of_curves(history: &History) -> Vec<Finding> {
    let mut findings = Vec::new();
    let train = history.series("train.loss");
    let val = history.series("val.loss");
    if let Some(&(epoch, _)) = train.iter().chain(&val).find(|(_, loss)| !loss.is_finite()) {
        let text = format!("The loss stopped being a number in epoch {epoch}: the learning rate is probably too high.");
        return vec![Finding::new(Tone::Problem, text)];
    }
    if let (Some(&(_, first)), Some(&(epochs, last))) = (train.first(), train.last())
        && train.len() > 1
        && last > HARDLY_FALLEN * first
    {
        let text = format!(
            "The training loss hardly fell in {epochs} epochs (from {} to {}): the network has learnt little.",
            number::plain(first),
            number::plain(last)
        );
        findings.push(Finding::new(Tone::Problem, text));
    }
    let overfits = overfitting(&val, &train);
    // More epochs of a network that overfits are no advice, even where the last one was the best by another metric.
    let too_soon = if overfits.is_none() { ended_too_soon(history) } else { None };
    findings.extend(overfits.into_iter().chain(memorised(history)).chain(too_soon));
    findings
}

/// The validation loss rises while the training loss still falls.
fn overfitting(val: &[(usize, f64)], train: &[(usize, f64)]) -> Option<Finding> {
    let &(best, lowest) = val.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let &(end, last) = val.last()?;
    let at_best = train.iter().find(|(epoch, _)| *epoch == best)?.1;
    let falls = train.last()?.1 < at_best;
    let after = val.iter().filter(|(epoch, _)| *epoch > best).count();
    (falls && after >= LEAST_AFTER && last > RISEN * lowest).then(|| {
        let text = format!(
            "The network overfits after epoch {best}: since then the training loss went on falling, but the validation \
             loss rose from {} to {} in epoch {end}. More augmentation, dropout or weight decay may help; more epochs will not.",
            number::plain(lowest),
            number::plain(last)
        );
        Finding::new(Tone::Care, text)
    })
}

/// At the kept epoch, accuracy on train is far above that on val.
fn memorised(history: &History) -> Option<Finding> {
    let best = history.best_epoch()?;
    let at =
        |column: &str| history.series(column).into_iter().find(|(epoch, _)| *epoch == best).map(|(_, value)| value);
    let (train, val) = (at("train.accuracy")?, at("val.accuracy")?);
    (train - val > MEMORISED).then(|| {
        let text = format!(
            "At the kept epoch the network is right on {} of its training pictures but on {} of the validation pictures: \
             it remembers more than it understands.",
            number::percent(train),
            number::percent(val)
        );
        Finding::new(Tone::Care, text)
    })
}

/// The last epoch was the best one.
fn ended_too_soon(history: &History) -> Option<Finding> {
    let last = history.rows().last()?.epoch;
    (last > 1 && history.best_epoch() == Some(last)).then(|| {
        let text = format!("The last epoch ({last}) was the best one: more epochs would probably help.");
        Finding::new(Tone::Care, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(rows: &[(f64, f64, f64, f64)], best: usize) -> History {
        let mut history = History::default();
        for (i, &(train, val, train_accuracy, val_accuracy)) in rows.iter().enumerate() {
            let values = [
                ("train.loss", train),
                ("val.loss", val),
                ("train.accuracy", train_accuracy),
                ("val.accuracy", val_accuracy),
            ]
            .map(|(name, value)| (name.to_owned(), value));
            history.push(i + 1, &values, i < best);
        }
        history
    }

    #[test]
    fn curves_are_put_into_words() {
        let cases: &[(&str, History, &[&str])] = &[
            ("none", History::default(), &[]),
            ("one epoch", history(&[(1.0, 1.0, 0.5, 0.5)], 1), &[]),
            ("healthy", history(&[(1.0, 1.0, 0.5, 0.5), (0.5, 0.6, 0.8, 0.8), (0.4, 0.61, 0.85, 0.8)], 2), &[]),
            ("too short", history(&[(1.0, 1.0, 0.5, 0.5), (0.5, 0.6, 0.8, 0.8)], 2), &["The last epoch (2) was"]),
            (
                "overfit",
                history(
                    &[(1.0, 1.0, 0.5, 0.5), (0.5, 0.6, 0.99, 0.8), (0.1, 0.9, 1.0, 0.78), (0.05, 0.9, 1.0, 0.78)],
                    2,
                ),
                &["The network overfits after epoch 2", "At the kept epoch"],
            ),
            ("one rise", history(&[(1.0, 1.0, 0.5, 0.5), (0.5, 0.6, 0.8, 0.8), (0.4, 0.7, 0.85, 0.8)], 2), &[]),
            (
                "not learning",
                history(&[(1.0, 1.0, 0.5, 0.5), (0.99, 1.0, 0.5, 0.5)], 1),
                &["The training loss hardly fell in 2 epochs (from 1.000 to 0.990)"],
            ),
            (
                "runaway",
                history(&[(1.0, 1.0, 0.5, 0.5), (f64::NAN, 1.0, 0.5, 0.5)], 1),
                &["The loss stopped being a number in epoch 2"],
            ),
        ];
        for (name, history, starts) in cases {
            let findings = of_curves(history);
            assert_eq!(findings.len(), starts.len(), "{name}: {findings:?}");
            for (finding, start) in findings.iter().zip(*starts) {
                assert!(finding.text.starts_with(start), "{name}: {finding:?}");
            }
        }
    }
}
