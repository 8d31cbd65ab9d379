//! A batch norm as part of the convolution before it; made by the pass `fold_norm`.

use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// Weight and bias of the one convolution that does what a convolution and a batch norm with running statistics do.
///
/// Inputs: the convolution's weight `[..][out]`, then the norm's weight, bias, running mean and running variance, and
/// if there is one the convolution's bias. Outputs: the weight, the bias.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoldNorm {
    pub(crate) eps: f32,
}

impl Operator for FoldNorm {
    fn kind(&self) -> &'static str {
        "fold_norm"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["weight", "norm weight", "norm bias", "running mean", "running variance", "bias"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(5..=6)?;
        let shape = inputs.of(0, DType::F32)?;
        (1..inputs.len()).try_for_each(|operand| inputs.per_channel(operand))?;
        Ok(vec![TensorType::f32(shape.clone()), TensorType::f32([shape.last().copied().unwrap_or(1)])])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [weight, gamma, beta, mean, var] = [0, 1, 2, 3, 4].map(|operand| inputs[operand].values);
        let factor: Vec<f64> =
            gamma.iter().zip(var).map(|(gamma, var)| gamma / (var + f64::from(self.eps)).sqrt()).collect();
        let channels = factor.len();
        let bias = |c: usize| inputs.get(5).map_or(0.0, |bias| bias.values[c]);
        vec![
            weight.iter().enumerate().map(|(i, weight)| weight * factor[i % channels]).collect(),
            (0..channels).map(|c| beta[c] + (bias(c) - mean[c]) * factor[c]).collect(),
        ]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, Operand, case, given, refusal};

    fn operands() -> [Operand; 5] {
        let vector = || given(DType::F32, [9]);
        [given(DType::F32, [3, 3, 2, 9]), vector(), vector(), vector(), vector().between(0.5, 1.5)]
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "fold_norm",
        cases: || {
            vec![
                case("without bias", FoldNorm { eps: 1e-5 }, operands()),
                case("bias", FoldNorm { eps: 1e-3 }, {
                    let [weight, gamma, beta, mean, var] = operands();
                    [weight, gamma, beta, mean, var, given(DType::F32, [9])]
                }),
            ]
        },
        refusals: || {
            vec![refusal(
                FoldNorm { eps: 1e-5 },
                [&[3, 3, 2, 9], &[9], &[9], &[9], &[3]],
                "node: the weight has 9 channels, the running variance expects 3 (weight 3×3×2×9, running variance 3)",
            )]
        },
    };
}
