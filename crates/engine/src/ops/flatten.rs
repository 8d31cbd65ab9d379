//! A map as rows of numbers: the same memory under another shape.

use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, Storage, TensorType, Wide};

/// `[batch][..]` to `[batch][features]`, pixel by pixel (`torch.flatten` counts channel by channel:
/// [`DiskLayout::LinearAfterMap`](crate::DiskLayout::LinearAfterMap) mends that for weights).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flatten;

impl Operator for Flatten {
    fn kind(&self) -> &'static str {
        "flatten"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let shape = inputs.of(0, DType::F32)?;
        let batch = shape.first().copied().unwrap_or(1);
        Ok(vec![TensorType::f32([batch, shape.elements() / batch])])
    }

    fn storage(&self) -> Storage {
        Storage::View
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dy, shape) = (site.gradient(), site.input_shape(0));
        site.compute(0, Unflatten { shape }, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![inputs[0].values.to_vec()]
    }
}

/// Rows of numbers as the map that they were.
#[derive(Clone, Debug)]
pub(crate) struct Unflatten {
    pub(crate) shape: Shape,
}

impl Operator for Unflatten {
    fn kind(&self) -> &'static str {
        "unflatten"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let rows = inputs.of(0, DType::F32)?;
        inputs.agree("numbers", (0, rows.elements()), (0, self.shape.elements()))?;
        Ok(vec![TensorType::f32(self.shape.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::View
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![inputs[0].values.to_vec()]
    }
}
