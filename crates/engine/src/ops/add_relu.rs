//! Addition and ReLU in one pass over memory; made by the pass `fuse_add_relu`.

use crate::{DType, Operands, Operator, ShapeError, Storage, TensorType, Wide};

/// `max(left + right, 0)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddRelu;

impl Operator for AddRelu {
    fn kind(&self) -> &'static str {
        "add_relu"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["left side", "right side"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let shape = inputs.of(0, DType::F32)?;
        inputs.of(1, DType::F32)?;
        inputs.equal(0, 1)?;
        Ok(vec![TensorType::f32(shape.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::Fresh
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![inputs[0].values.iter().zip(inputs[1].values).map(|(left, right)| (left + right).max(0.0)).collect()]
    }
}
