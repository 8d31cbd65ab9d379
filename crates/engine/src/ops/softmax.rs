//! Softmax.

use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// Probabilities from logits `[rows][classes]`. Training goes through [`CrossEntropy`](super::CrossEntropy) instead: it
/// has no gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax;

impl Operator for Softmax {
    fn kind(&self) -> &'static str {
        "softmax"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["logits"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        Ok(vec![TensorType::f32(inputs.axes::<2>(0, DType::F32)?)])
    }

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
    }
}
