//! Softmax.

use avizor_kernels::reference;

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

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::softmax(inputs[0].shape[1], inputs[0].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "softmax",
        cases: || vec![case("rows", Softmax, [given(DType::F32, [5, 151]).between(-9.0, 9.0)])],
        refusals: || vec![refusal(Softmax, [&[5]], "node: the logits must have 2 axes, not the shape 5")],
    };
}
