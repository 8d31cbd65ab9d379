//! What training makes small.

use avizor_engine::{DType, GraphBuilder, Value, ops};

use crate::error::TrainError;
use crate::recipe::{ClassWeights, Recipe};

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

/// Weights of the classes in the loss: n / (classes × n of the class), as scikit-learn's `balanced`.
pub(crate) fn balanced_class_weights(counts: &[usize]) -> Vec<f32> {
    let n: usize = counts.iter().sum();
    let weight = |&count: &usize| match count {
        0 => 0.0,
        _ => (n as f64 / (counts.len() as f64 * count as f64)) as f32,
    };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_are_scikit_learns() {
        // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2])
        assert_eq!(balanced_class_weights(&[3, 1, 2]), [2.0 / 3.0, 2.0, 1.0]);
    }
}
