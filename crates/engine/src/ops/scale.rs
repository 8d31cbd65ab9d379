//! Multiplication by one number: how the gradient of a loss reaches the logits.

use avizor_kernels::reference;

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
        vec![reference::scale(inputs[1].values[0], inputs[0].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "scale",
        cases: || vec![case("numbers", Scale, [given(DType::F32, [5, 7]), given(DType::F32, [1])])],
        refusals: || {
            vec![refusal(Scale, [&[5], &[2]], "node: the factor and the scalar must have one shape, not 2 and 1")]
        },
    };
}
