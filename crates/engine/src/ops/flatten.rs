//! A map as rows of numbers: the same memory under another shape.

use super::Reshape;
use crate::{DType, GradientSite, GraphError, Operands, Operator, ShapeError, Storage, TensorType, Wide};

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
        site.compute(0, Reshape { shape }, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![inputs[0].values.to_vec()]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "flatten",
        cases: || vec![case("map", Flatten, [trained([2, 3, 5, 4])]), case("rows", Flatten, [trained([2, 3])])],
        refusals: || vec![refusal(Flatten, [&[2, 0]], "node: the input must not be empty, as the shape 2×0 is")],
    };
}
