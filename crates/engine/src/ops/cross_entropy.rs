//! Softmax cross-entropy.

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

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
    }
}
