//! Layer normalisation and its gradient.

use avizor_kernels::layer_norm::LayerNormShape;
use avizor_kernels::reference;

use super::batch_norm::wide;
use crate::operator::require;
use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// Layer normalisation over the last axis: every pixel or token by its own mean and variance. Meaning of the option:
/// `torch.nn.LayerNorm`. Source: Ba et al. 2016, arXiv:1607.06450.
///
/// Inputs: the activations `[..][channels]`, then weight and bias, each `[channels]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorm {
    /// Added to the variance.
    pub eps: f32,
}

/// Rows and channels of activations, channels last.
pub(crate) fn kernel_shape(input: &Shape) -> LayerNormShape {
    let channels = input.last().copied().unwrap_or(1);
    LayerNormShape { rows: input.elements() / channels, channels }
}

impl Operator for LayerNorm {
    fn kind(&self) -> &'static str {
        "layer_norm"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "weight", "bias"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(3..=3)?;
        require(self.eps > 0.0, "eps", self.eps, "above 0")?;
        let shape = inputs.of(0, DType::F32)?;
        (1..3).try_for_each(|operand| inputs.per_channel(operand))?;
        Ok(vec![TensorType::f32(shape.clone())])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let inputs = [site.input(0), site.gradient(), site.input(1)];
        let gradients = site.apply(LayerNormGrad { eps: self.eps }, &inputs)?;
        gradients.into_iter().enumerate().for_each(|(input, gradient)| site.give(input, gradient));
        Ok(())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, gamma, beta] = wide(inputs);
        vec![reference::layer_norm(&kernel_shape(inputs[0].shape), x, gamma, beta, f64::from(self.eps))]
    }
}

/// Gradients of input, weight and bias, from the input, the gradient of the output and the weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerNormGrad {
    pub(crate) eps: f32,
}

impl Operator for LayerNormGrad {
    fn kind(&self) -> &'static str {
        "layer_norm_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gradient", "weight"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(3..=3)?;
        let shape = inputs.of(0, DType::F32)?;
        inputs.equal(0, 1)?;
        inputs.per_channel(2)?;
        let of_channels = TensorType::f32([kernel_shape(shape).channels]);
        Ok(vec![TensorType::f32(shape.clone()), of_channels.clone(), of_channels])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, dy, gamma] = wide(inputs);
        reference::layer_norm_backward(&kernel_shape(inputs[0].shape), x, dy, gamma, f64::from(self.eps)).into()
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, Operand, case, given, refusal, trained};

    fn operands(x: Operand, c: usize) -> [Operand; 3] {
        [x, trained([c]).between(0.5, 1.5), trained([c])]
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "layer_norm",
        cases: || {
            vec![
                case("maps", LayerNorm { eps: 1e-6 }, operands(trained([3, 4, 5, 7]), 7)),
                case("tokens", LayerNorm { eps: 1e-6 }, operands(trained([2, 1, 9, 48]).between(4.0, 6.0), 48)),
                case("rows", LayerNorm { eps: 1e-3 }, operands(trained([37, 17]), 17)),
                case("parameters alone", LayerNorm { eps: 1e-6 }, operands(given(DType::F32, [2, 3, 3, 5]), 5)),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    LayerNorm { eps: 1e-6 },
                    [&[2, 4, 4, 8], &[8], &[4]],
                    "node: the input has 8 channels, the bias expects 4 (input 2×4×4×8, bias 4)",
                ),
                refusal(LayerNorm { eps: 0.0 }, [&[2, 8], &[8], &[8]], "node: the eps must be above 0, not 0.0"),
            ]
        },
    };
}
