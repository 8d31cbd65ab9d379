//! Sums over everything but the channels: the gradient of a bias.

use avizor_kernels::reference;

use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// `[..][channels]` to `[channels]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SumRows;

impl Operator for SumRows {
    fn kind(&self) -> &'static str {
        "sum_rows"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let shape = inputs.of(0, DType::F32)?;
        Ok(vec![TensorType::f32([shape.last().copied().unwrap_or(1)])])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::sum_rows(inputs[0].shape.last().copied().unwrap_or(1), inputs[0].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "sum_rows",
        cases: || {
            vec![
                case("maps", SumRows, [given(DType::F32, [3, 5, 7, 4])]),
                case("rows", SumRows, [given(DType::F32, [101, 3])]),
            ]
        },
        refusals: || vec![refusal(SumRows, [], "node: it got 0 inputs and takes 1")],
    };
}
