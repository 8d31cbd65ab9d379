//! Sums over everything but the channels: the gradient of a bias.

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
        let channels = inputs[0].shape.last().copied().unwrap_or(1);
        let mut sums = vec![0.0; channels];
        for row in inputs[0].values.chunks_exact(channels) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        vec![sums]
    }
}
