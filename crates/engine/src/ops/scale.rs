//! Multiplication by one number: how the gradient of a loss reaches the logits.

use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// `input · factor`, the factor being one number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale;

impl Operator for Scale {
    fn kind(&self) -> &'static str {
        "scale"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "factor"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let shape = inputs.of(0, DType::F32)?;
        inputs.of(1, DType::F32)?;
        inputs.same_shape(1, "scalar", &[1].into())?;
        Ok(vec![TensorType::f32(shape.clone())])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let factor = inputs[1].values[0];
        vec![inputs[0].values.iter().map(|value| value * factor).collect()]
    }
}
