//! The same memory under another shape.

use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, Storage, TensorType, Wide};

/// The same numbers in the same order.
#[derive(Clone, Debug)]
pub(crate) struct Reshape {
    pub(crate) shape: Shape,
}

impl Operator for Reshape {
    fn kind(&self) -> &'static str {
        "reshape"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let input = inputs.of(0, DType::F32)?;
        if input.elements() != self.shape.elements() {
            inputs.same_shape(0, "result", &self.shape)?;
        }
        Ok(vec![TensorType::f32(self.shape.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::View
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dy, shape) = (site.gradient(), site.input_shape(0));
        site.compute(0, Self { shape }, &[dy])
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
        name: "reshape",
        cases: || vec![case("to a row", Reshape { shape: [1, 12].into() }, [trained([3, 4])])],
        refusals: || {
            vec![refusal(
                Reshape { shape: [5].into() },
                [&[3, 4]],
                "node: the input and the result must have one shape, not 3×4 and 5",
            )]
        },
    };
}
