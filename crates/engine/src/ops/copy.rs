//! A copy, where a value is wanted in two places.

use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// The input again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copy;

impl Operator for Copy {
    fn kind(&self) -> &'static str {
        "copy"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        Ok(vec![TensorType::f32(inputs.of(0, DType::F32)?.clone())])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![inputs[0].values.to_vec()]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "copy",
        cases: || vec![case("numbers", Copy, [given(DType::F32, [5, 7])])],
        refusals: || vec![refusal(Copy, [], "node: it got 0 inputs and takes 1")],
    };
}
