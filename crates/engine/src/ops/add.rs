//! Addition.

use crate::{DType, GradientSite, GraphError, Operands, Operator, ShapeError, Storage, TensorType, Wide};

/// `left + right`, of one shape: the end of a residual block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Add;

impl Operator for Add {
    fn kind(&self) -> &'static str {
        "add"
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
        Storage::InPlace(&[0, 1])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        site.give(0, site.gradient());
        site.give(1, site.gradient());
        Ok(())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![inputs[0].values.iter().zip(inputs[1].values).map(|(left, right)| left + right).collect()]
    }
}
