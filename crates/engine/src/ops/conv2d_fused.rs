//! Convolution with what follows it done on the way to memory; made by passes, after differentiation.

use avizor_kernels::reference;
use avizor_kernels::unary::Unary;

use super::Conv2d;
use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// `activation(conv(input, weight) + bias + residual)`. Inputs: input, weight, then bias and residual where there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conv2dFused {
    pub(crate) conv: Conv2d,
    pub(crate) bias: bool,
    pub(crate) residual: bool,
    pub(crate) activation: Option<Unary>,
}

impl Conv2dFused {
    /// A convolution alone.
    pub(crate) fn plain(conv: Conv2d, bias: bool) -> Self {
        Self { conv, bias, residual: false, activation: None }
    }
}

impl Operator for Conv2dFused {
    fn kind(&self) -> &'static str {
        "conv2d_fused"
    }

    fn operands(&self) -> &'static [&'static str] {
        match self.bias {
            true => &["input", "weight", "bias", "residual"],
            false => &["input", "weight", "residual"],
        }
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        let count = 2 + usize::from(self.bias) + usize::from(self.residual);
        inputs.count(count..=count)?;
        let output = self.conv.output_shape(inputs)?;
        if self.bias {
            let [bias] = inputs.axes(2, DType::F32)?;
            inputs.agree("numbers", (2, bias), (1, output[3]))?;
        }
        if self.residual {
            inputs.of(count - 1, DType::F32)?;
            inputs.same_shape(count - 1, "output", &output)?;
        }
        Ok(vec![TensorType::f32(output)])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = self.conv.kernel_shape(inputs[0].shape, inputs[1].shape);
        let mut y = reference::conv2d_forward(&shape, inputs[0].values, inputs[1].values);
        if self.bias {
            add_bias(&mut y, inputs[2].values);
        }
        if self.residual {
            let residual = inputs[inputs.len() - 1].values;
            y.iter_mut().zip(residual).for_each(|(y, residual)| *y += residual);
        }
        match self.activation {
            Some(f) => vec![reference::unary_forward(f, &y)],
            None => vec![y],
        }
    }
}

/// Adds a number for each channel, the channels being the last axis.
pub(super) fn add_bias(y: &mut [f64], bias: &[f64]) {
    for row in y.chunks_exact_mut(bias.len()) {
        row.iter_mut().zip(bias).for_each(|(y, bias)| *y += bias);
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal};

    fn fused(bias: bool, residual: bool) -> Conv2dFused {
        let conv = Conv2d { padding: [1, 1], ..Conv2d::default() };
        Conv2dFused { conv, bias, residual, activation: Some(if residual { Unary::Relu } else { Unary::Silu }) }
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "conv2d_fused",
        cases: || {
            vec![
                case(
                    "all of it",
                    fused(true, true),
                    [
                        given(DType::F32, [2, 5, 5, 3]),
                        given(DType::F32, [3, 3, 3, 9]),
                        given(DType::F32, [9]),
                        given(DType::F32, [2, 5, 5, 9]),
                    ],
                ),
                case(
                    "residual alone",
                    fused(false, true),
                    [given(DType::F32, [1, 4, 3, 2]), given(DType::F32, [3, 3, 2, 5]), given(DType::F32, [1, 4, 3, 5])],
                ),
                case(
                    "neither",
                    fused(false, false),
                    [given(DType::F32, [1, 4, 3, 2]), given(DType::F32, [3, 3, 2, 5])],
                ),
            ]
        },
        refusals: || {
            vec![refusal(
                fused(false, true),
                [&[1, 4, 4, 2], &[3, 3, 2, 5], &[1, 4, 4, 2]],
                "node: the residual and the output must have one shape, not 1×4×4×2 and 1×4×4×5",
            )]
        },
    };
}
