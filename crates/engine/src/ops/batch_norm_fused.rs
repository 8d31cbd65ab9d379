//! Batch normalisation with what follows it done in the same pass; made by the pass `fuse_norm`, after
//! differentiation.

use avizor_kernels::reference;

use super::{BatchNorm, Unary};
use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// `activation(norm(input) + residual)`. Inputs as [`BatchNorm`], then the residual where there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormFused {
    pub(crate) norm: BatchNorm,
    pub(crate) residual: bool,
    pub(crate) activation: Option<Unary>,
}

impl Operator for BatchNormFused {
    fn kind(&self) -> &'static str {
        "batch_norm_fused"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "weight", "bias", "running mean", "running variance", "residual"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        let count = 5 + usize::from(self.residual);
        inputs.count(count..=count)?;
        let outputs = self.norm.types(inputs)?;
        if self.residual {
            inputs.of(5, DType::F32)?;
            inputs.equal(0, 5)?;
        }
        Ok(outputs)
    }

    fn updates(&self) -> &'static [usize] {
        &[3, 4]
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let mut outputs = self.norm.reference(&inputs[..5]);
        let y = &mut outputs[0];
        if self.residual {
            y.iter_mut().zip(inputs[5].values).for_each(|(y, residual)| *y += residual);
        }
        if let Some(activation) = self.activation {
            *y = reference::unary_forward(activation, y);
        }
        outputs
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, Operand, case, given, refusal, statistic};

    fn operands(c: usize) -> [Operand; 5] {
        let per_channel = || given(DType::F32, [c]);
        [given(DType::F32, [3, 4, 5, c]), per_channel(), per_channel(), statistic([c]), statistic([c])]
    }

    fn fused(residual: bool, activation: Option<Unary>) -> BatchNormFused {
        BatchNormFused { norm: BatchNorm::default(), residual, activation }
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "batch_norm_fused",
        cases: || {
            let with_residual = || {
                let [x, weight, bias, mean, var] = operands(7);
                [x, weight, bias, mean, var, given(DType::F32, [3, 4, 5, 7])]
            };
            vec![
                case("relu", fused(false, Some(Unary::Relu)), operands(9)),
                case("silu", fused(false, Some(Unary::Silu)), operands(16)),
                case("residual and relu", fused(true, Some(Unary::Relu)), with_residual()),
                case("residual alone", fused(true, None), with_residual()),
            ]
        },
        refusals: || {
            vec![refusal(
                fused(true, None),
                [&[2, 3, 8], &[8], &[8], &[8], &[8], &[2, 4, 8]],
                "node: the input and the residual must have one shape, not 2×3×8 and 2×4×8",
            )]
        },
    };
}
