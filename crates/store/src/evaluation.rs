//! From an evaluation to what `metrics.json` says.

use avizor_base::ClassList;
use avizor_metrics::{ClassEvaluation, Evaluation};

use crate::{ClassMetrics, ConfusionCounts, Measure, PartMetrics};

impl PartMetrics {
    /// What is stored of an evaluation. `None` where the evaluation is not of these classes.
    pub fn from_evaluation(evaluation: &Evaluation, classes: &ClassList) -> Option<Self> {
        if evaluation.classes.len() != classes.len() {
            return None;
        }
        let named = classes.names().iter().cloned().zip(evaluation.classes.iter().map(class_metrics));
        Some(Self {
            n: evaluation.n as u64,
            level: evaluation.options.level.share(),
            resamples: evaluation.options.resamples,
            groups: evaluation.groups.map(|groups| groups as u64),
            accuracy: (&evaluation.accuracy).into(),
            top_3_accuracy: evaluation.top_3_accuracy.as_ref().map(Measure::from),
            top_5_accuracy: evaluation.top_5_accuracy.as_ref().map(Measure::from),
            balanced_accuracy: (&evaluation.balanced_accuracy).into(),
            macro_precision: (&evaluation.macro_average.precision).into(),
            macro_recall: (&evaluation.macro_average.recall).into(),
            macro_f1: (&evaluation.macro_average.f1).into(),
            weighted_precision: (&evaluation.weighted_average.precision).into(),
            weighted_recall: (&evaluation.weighted_average.recall).into(),
            weighted_f1: (&evaluation.weighted_average.f1).into(),
            log_loss: (&evaluation.loss).into(),
            classes: named.collect(),
            confusion: ConfusionCounts::new(classes.names().to_vec(), evaluation.confusion.rows())?,
        })
    }
}

fn class_metrics(class: &ClassEvaluation) -> ClassMetrics {
    let undefined = || Measure::undefined(class.why().unwrap_or("the class has no score"));
    let [precision, recall, f1] = match &class.scores {
        Some(scores) => [(&scores.precision).into(), (&scores.recall).into(), (&scores.f1).into()],
        None => [undefined(), undefined(), undefined()],
    };
    ClassMetrics {
        precision,
        recall,
        f1,
        support: class.counts.support(),
        true_positives: class.counts.true_positive,
        false_positives: class.counts.false_positive,
        false_negatives: class.counts.false_negative,
        true_negatives: class.counts.true_negative,
        error_rate: (&class.error_rate).into(),
    }
}

#[cfg(test)]
mod tests {
    use avizor_base::Seed;
    use avizor_metrics::{Options, Predictions, evaluate};

    use super::*;

    #[test]
    fn an_evaluation_keeps_its_numbers_and_reasons() {
        let predictions = Predictions {
            truth: &[0, 0, 1, 1, 1],
            prediction: &[0, 1, 1, 1, 0],
            probabilities: &[0.8, 0.1, 0.1, 0.3, 0.5, 0.2, 0.2, 0.7, 0.1, 0.1, 0.9, 0.0, 0.6, 0.2, 0.2],
            classes: 3,
            groups: None,
        };
        let evaluation = evaluate(&predictions, Seed(1), Options::default()).unwrap();
        let classes = ClassList::from_labels(["cat", "dog", "owl"]).unwrap();
        let part = PartMetrics::from_evaluation(&evaluation, &classes).unwrap();
        assert_eq!((part.n, part.accuracy.value(), part.accuracy.method()), (5, Some(0.6), Some("wilson")));
        assert_eq!(part.confusion.counts(), [[1, 1, 0], [1, 2, 0], [0, 0, 0]]);
        let owl = part.classes.get("owl").unwrap();
        assert_eq!((owl.support, owl.recall.value()), (0, None));
        assert_eq!(owl.recall.why(), Some("the class occurs neither in truth nor in prediction"));
        assert!(PartMetrics::from_evaluation(&evaluation, &ClassList::from_labels(["cat"]).unwrap()).is_none());
    }
}
