//! Softmax cross-entropy.

use avizor_kernels::loss::CrossEntropyShape;
use avizor_kernels::reference;

use super::Scale;
use crate::operator::require;
use crate::{DType, GradientSite, GraphError, Operands, Operator, ShapeError, TensorType, Wide};

/// Mean cross-entropy of softmax: `torch.nn.CrossEntropyLoss(weight, label_smoothing)`.
///
/// Inputs: logits `[rows][classes]`, labels `[rows]` (i32; -1 leaves a row out, as in a partial batch), and if there are
/// any the class weights `[classes]`. Outputs: the loss `[1]`, and the logits' gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    /// Share of the target spread evenly over all classes, in `0.0..=1.0`.
    pub label_smoothing: f32,
}

impl Operator for CrossEntropy {
    fn kind(&self) -> &'static str {
        "cross_entropy"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["logits", "labels", "class weights"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=3)?;
        require((0.0..=1.0).contains(&self.label_smoothing), "label smoothing", self.label_smoothing, "from 0 to 1")?;
        let [rows, classes] = inputs.axes(0, DType::F32)?;
        let [labels] = inputs.axes(1, DType::I32)?;
        inputs.agree("rows", (0, rows), (1, labels))?;
        if inputs.len() == 3 {
            let [weights] = inputs.axes(2, DType::F32)?;
            inputs.agree("classes", (0, classes), (2, weights))?;
        }
        Ok(vec![TensorType::f32([1]), TensorType::f32([rows, classes])])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dloss, dlogits) = (site.gradient(), site.output(1));
        site.compute(0, Scale, &[dlogits, dloss])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = CrossEntropyShape { rows: inputs[0].shape[0], classes: inputs[0].shape[1] };
        let labels: Vec<i32> = inputs[1].values.iter().map(|&label| label as i32).collect();
        let weights = inputs.get(2).map(|weights| weights.values);
        let smoothing = f64::from(self.label_smoothing);
        let (loss, gradient) = reference::cross_entropy(&shape, inputs[0].values, &labels, weights, smoothing);
        vec![vec![loss], gradient]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, Operand, case, given, labels, refusal, trained};

    fn logits(rows: usize, classes: usize) -> Operand {
        trained([rows, classes]).between(-4.0, 4.0)
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "cross_entropy",
        cases: || {
            vec![
                case("plain", CrossEntropy::default(), [logits(5, 7), labels(&[0, 6, 3, 3, 1])]),
                case("a row left out", CrossEntropy::default(), [logits(4, 3), labels(&[2, -1, 0, -1])]),
                case("smoothed", CrossEntropy { label_smoothing: 0.05 }, [logits(3, 4), labels(&[1, 2, 3])]),
                case(
                    "weighted",
                    CrossEntropy { label_smoothing: 0.1 },
                    [logits(4, 3), labels(&[0, -1, 2, 1]), given(DType::F32, [3]).between(0.2, 3.0)],
                ),
            ]
        },
        refusals: || vec![refusal(CrossEntropy::default(), [&[4, 3], &[4]], "node: the labels must be i32, not f32")],
    };
}
