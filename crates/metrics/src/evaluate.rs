//! Everything about one set of predictions, each number with its interval.

use avizor_base::Seed;

use crate::bootstrap::{Keep, Samples, replicates};
use crate::clusters::Clusters;
use crate::confusion::Confusion;
use crate::error::{LabelError, check_length};
use crate::estimator::Estimator;
use crate::evaluation::{Evaluation, Options};
use crate::probability::{ranks, sample_losses};

/// What a network said about labelled samples.
#[derive(Clone, Copy, Debug)]
pub struct Predictions<'a> {
    /// The class of each sample.
    pub truth: &'a [u32],
    /// The class that each sample was given.
    pub prediction: &'a [u32],
    /// Row-major, samples × classes; each row sums to 1.
    pub probabilities: &'a [f32],
    /// How many classes there are.
    pub classes: usize,
    /// Which samples belong together (one patient, one film): any ids. `None` where samples are independent.
    pub groups: Option<&'a [u32]>,
}

/// Computes every metric of `predictions`, each with its interval.
///
/// - Independent samples (no groups, or groups of one sample each): Wilson's interval for what is a proportion
///   (accuracy, top-k, and of each class precision, recall, error rate, and F1 through TP / (TP + FP + FN), of which
///   it is a monotone function); the bootstrap over samples for balanced accuracy, averages and loss.
/// - Samples in groups: the bootstrap over groups for everything.
/// - A replicate in which a class's metric is 0 / 0 is left out of that metric's interval.
/// - Where a metric is exactly 0 or 1, every replicate is too and resampling knows nothing: Wilson's interval then
///   stands in, with samples (or groups) all failing or all succeeding.
///
/// The same input, seed and options give the same bits.
///
/// # Errors
/// No sample, columns of unequal length, a class out of range, a row of probabilities that is no distribution.
pub fn evaluate(predictions: &Predictions<'_>, seed: Seed, options: Options) -> Result<Evaluation, LabelError> {
    let &Predictions { truth, prediction, probabilities, classes, groups } = predictions;
    let confusion = Confusion::new(truth, prediction, classes)?;
    if let Some(groups) = groups {
        check_length("groups", groups.len(), truth.len())?;
    }
    let clusters = groups.map_or_else(|| Clusters::single(truth.len()), Clusters::grouped);
    let columns = columns(sample_losses(truth, probabilities, classes)?, truth, probabilities, classes);
    let samples = Samples { truth, prediction, classes, columns: &columns, clusters: &clusters };
    let keep = if clusters.are_single() { Keep::Headline } else { Keep::Classes };
    let replicates = replicates(&samples, seed, options.resamples, keep);
    let estimator = Estimator { samples: &samples, replicates: &replicates, level: options.level };
    let summary = confusion.summary();
    let top = |k: usize, column| (classes > k).then(|| estimator.top_k(column));
    Ok(Evaluation {
        n: truth.len(),
        groups: groups.map(|_| clusters.count()),
        options,
        accuracy: estimator.accuracy(&confusion),
        balanced_accuracy: estimator.headline(summary.balanced_accuracy, |summary| summary.balanced_accuracy),
        macro_average: estimator.average(summary.macro_average, |summary| summary.macro_average),
        weighted_average: estimator.average(summary.weighted_average, |summary| summary.weighted_average),
        top_3_accuracy: top(3, TOP_3),
        top_5_accuracy: top(5, TOP_5),
        loss: estimator.loss(LOSS),
        classes: estimator.classes(&confusion),
        confusion,
    })
}

const LOSS: usize = 0;
const TOP_3: usize = 1;
const TOP_5: usize = 2;

/// The per-sample columns whose means are metrics: loss, within the top 3, within the top 5.
fn columns(losses: Vec<f64>, truth: &[u32], probabilities: &[f32], classes: usize) -> [Vec<f64>; 3] {
    let within = |k| ranks(truth, probabilities, classes).map(|rank| if rank < k { 1.0 } else { 0.0 }).collect();
    [losses, within(3), within(5)]
}
