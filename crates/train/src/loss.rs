//! What training makes small.

use avizor_engine::{DType, GraphBuilder, Value, ops};

use crate::error::TrainError;
use crate::recipe::{Balance, ClassWeights, Recipe};

/// Cross-entropy of the logits and the labels, as `torch.nn.CrossEntropyLoss(weight, label_smoothing)` has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    classes: usize,
    label_smoothing: f32,
    weighs_classes: bool,
}

/// The two losses of mixed pictures: their names, and those of the inputs that hold their labels and shares.
const PARTS: [[&str; 3]; 2] =
    [["own_loss", "labels", "own_share"], ["partner_loss", "partner_labels", "partner_share"]];

impl Loss {
    pub(crate) fn new(recipe: &Recipe, classes: usize) -> Self {
        Self {
            classes,
            label_smoothing: recipe.train.label_smoothing as f32,
            weighs_classes: recipe.balance.class_weights != ClassWeights::None,
        }
    }

    /// Behind logits, with the input "labels" and, where classes are weighted, "class_weights".
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn of_labels(self, graph: &mut GraphBuilder, logits: Value, batch: usize) -> Result<(), TrainError> {
        let labels = graph.input("labels", DType::I32, [batch]);
        let weights = self.class_weights(graph);
        let loss = self.cross_entropy(graph, "loss", [logits, labels], weights)?;
        outputs(graph, logits, loss);
        Ok(())
    }

    /// As [`of_labels`](Self::of_labels) for mixed pictures, with the inputs of [`Shares`] as well.
    ///
    /// It equals PyTorch's loss of targets that are probabilities: a sum of two losses, since cross-entropy is linear in its target.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn of_mixed(self, graph: &mut GraphBuilder, logits: Value, batch: usize) -> Result<(), TrainError> {
        let weights = self.class_weights(graph);
        let mut parts = Vec::new();
        for [name, labels, share] in PARTS {
            let labels = graph.input(labels, DType::I32, [batch]);
            let share = graph.input(share, DType::F32, [1]);
            let loss = self.cross_entropy(graph, name, [logits, labels], weights)?;
            parts.push(graph.apply(&format!("{name}.share"), ops::Scale, &[loss, share])?);
        }
        let loss = graph.apply("loss", ops::Add, &parts)?;
        outputs(graph, logits, loss);
        Ok(())
    }

    fn class_weights(self, graph: &mut GraphBuilder) -> Option<Value> {
        self.weighs_classes.then(|| graph.input("class_weights", DType::F32, [self.classes]))
    }

    fn cross_entropy(
        self,
        graph: &mut GraphBuilder,
        name: &str,
        [logits, labels]: [Value; 2],
        class_weights: Option<Value>,
    ) -> Result<Value, TrainError> {
        let inputs: Vec<Value> = [logits, labels].into_iter().chain(class_weights).collect();
        Ok(graph.apply(name, ops::CrossEntropy { label_smoothing: self.label_smoothing }, &inputs)?)
    }
}

fn outputs(graph: &mut GraphBuilder, logits: Value, loss: Value) {
    graph.output("logits", logits);
    graph.output("loss", loss);
}

/// What the losses of mixed pictures are multiplied by.
///
/// With labels, PyTorch divides a weighted loss by the sum of the labels' weights; with probabilities, by their number. A batch and
/// its partners have the same labels in another order, so one ratio leads from the first to the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shares {
    own: f32,
    partner: f32,
}

impl Shares {
    pub(crate) fn new(own: f64, labels: &[i32], class_weights: Option<&[f32]>) -> Self {
        let mean_weight = class_weights.map_or(1.0, |weights| {
            let sum: f64 = labels.iter().map(|&label| f64::from(weights[label as usize])).sum();
            sum / labels.len() as f64
        });
        Self { own: (own * mean_weight) as f32, partner: ((1.0 - own) * mean_weight) as f32 }
    }

    /// With the names of their inputs.
    pub(crate) fn named(self) -> [(&'static str, f32); 2] {
        [("own_share", self.own), ("partner_share", self.partner)]
    }
}

/// Weights of the classes in the loss by how many pictures of each an epoch has; `None` where all count alike.
pub(crate) fn class_weights(balance: &Balance, counts: &[usize]) -> Option<Vec<f32>> {
    match balance.class_weights {
        ClassWeights::None => None,
        ClassWeights::Balanced => Some(balanced(counts)),
        ClassWeights::Effective => Some(effective(counts, balance.effective_beta)),
    }
}

/// n / (classes × n of the class), as scikit-learn's `balanced`.
fn balanced(counts: &[usize]) -> Vec<f32> {
    let n: usize = counts.iter().sum();
    let weight = |&count: &usize| match count {
        0 => 0.0,
        _ => (n as f64 / (counts.len() as f64 * count as f64)) as f32,
    };
    counts.iter().map(weight).collect()
}

/// One over the effective number of samples, (1 − βⁿ) / (1 − β) for a class of n, scaled so that the weights sum to the number of
/// classes (those that have samples), as the paper says and its code does. Source: Cui et al. 2019, arXiv:1901.05555, section 4.
fn effective(counts: &[usize], beta: f64) -> Vec<f32> {
    // 1 − βⁿ by way of e^(n ln β) − 1, which keeps its digits where β is close to 1.
    let weight = |&count: &usize| match count {
        0 => 0.0,
        _ => (1.0 - beta) / -(count as f64 * beta.ln()).exp_m1(),
    };
    let weights: Vec<f64> = counts.iter().map(weight).collect();
    let (sum, present) = (weights.iter().sum::<f64>(), counts.iter().filter(|&&count| count > 0).count());
    weights.into_iter().map(|weight| (weight * present as f64 / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_are_scikit_learns() {
        // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2])
        assert_eq!(balanced(&[3, 1, 2]), [2.0 / 3.0, 2.0, 1.0]);
    }

    #[test]
    fn effective_weights_are_those_of_the_papers_code() {
        // In NumPy, f64: w = (1 - beta) / (1 - numpy.power(beta, n)); w / w.sum() * 4, for n = [2246, 358, 20, 1].
        let counts = [2246, 358, 20, 1];
        for (beta, wanted) in [
            (0.0, [1.0, 1.0, 1.0, 1.0]),
            (0.9, [0.3044509991715475, 0.3044509991715475, 0.34658800994142946, 3.0445099917154756]),
            (0.999, [0.004239943063799901, 0.01259505829510456, 0.19139585447957305, 3.7917691441615227]),
            (0.9999999, [0.0016911112870558822, 0.010608596150659132, 0.18989066193107737, 3.7978096306312072]),
        ] {
            // NumPy loses seven of its 16 digits to 1 - beta where beta is that close to 1; f32 has as many.
            let near = |(got, want): (&f32, &f64)| (f64::from(*got) - want).abs() <= 2e-7 * want;
            let got = effective(&counts, beta);
            assert!(got.iter().zip(&wanted).all(near), "{beta}: {got:?} and not {wanted:?}");
        }
        assert_eq!(effective(&[0, 7, 7], 0.999), [0.0, 1.0, 1.0], "a class without a picture has no weight");
        // Close to 1, they are inverse to frequency.
        let ratio = |weights: &[f32]| weights[3] / weights[0];
        assert!((ratio(&effective(&counts, 1.0 - f64::EPSILON)) / ratio(&balanced(&counts)) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_recipe_says_how_classes_are_weighed() {
        let weights = |options: &[&str]| {
            let mut recipe = Recipe::default();
            recipe.set(options.iter().copied()).unwrap();
            class_weights(&recipe.balance, &[30, 10])
        };
        assert_eq!(weights(&[]), None);
        assert_eq!(weights(&["balance.class_weights=balanced"]).unwrap(), balanced(&[30, 10]));
        assert_eq!(weights(&["balance.class_weights=effective"]).unwrap(), effective(&[30, 10], 0.999));
        let near_one = ["balance.class_weights=effective", "balance.effective_beta=0.5"];
        assert_eq!(weights(&near_one).unwrap(), effective(&[30, 10], 0.5));
    }
}
