//! Convolutions of a training step that do the work of the norms beside them; made by the pass `fuse_normed`, after
//! differentiation.

use avizor_kernels::reference;

use super::batch_norm::{activated_gradient, kernel_shape, normalized};
use super::batch_norm_steps::{gradient_sums, input_gradient, moments, sums_types};
use super::{Conv2d, Unary};
use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// A norm whose statistics are known, and the activation that follows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Norm {
    pub(crate) activation: Option<Unary>,
}

impl Norm {
    /// Inputs that it reads beside the map: weight, mean, 1/σ, offset.
    pub(crate) const INPUTS: usize = 4;
}

/// `conv(norm(input), weight)`, and the [moments](super::BatchNormMoments) of the result.
///
/// Inputs: the map, the weight, and where there is a norm its weight, mean, 1/σ and offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conv2dNormed {
    pub(crate) conv: Conv2d,
    pub(crate) norm: Option<Norm>,
}

impl Operator for Conv2dNormed {
    fn kind(&self) -> &'static str {
        "conv2d_normed"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "weight", "norm's weight", "mean", "1/σ", "offset"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        let count = 2 + self.norm.map_or(0, |_| Norm::INPUTS);
        inputs.count(count..=count)?;
        let output = self.conv.output_shape(inputs)?;
        (2..count).try_for_each(|operand| inputs.per_channel(operand))?;
        let moments = TensorType::f32([4, output[3]]);
        Ok(vec![TensorType::f32(output), moments])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = self.conv.kernel_shape(inputs[0].shape, inputs[1].shape);
        let y = reference::conv2d_forward(&shape, &read(self.norm, inputs, 2), inputs[1].values);
        let moments = moments(&kernel_shape(&[shape.output_len() / shape.out_channels, shape.out_channels].into()), &y);
        vec![y, moments]
    }
}

/// What a convolution reads: its first input, normalised where there is a norm, whose inputs begin at a place.
fn read(norm: Option<Norm>, inputs: &[Wide<'_>], at: usize) -> Vec<f64> {
    let Some(norm) = norm else { return inputs[0].values.to_vec() };
    let line = [0, 1, 2, 3].map(|i| inputs[at + i].values);
    let normalized = normalized(inputs[0], line);
    norm.activation.map_or(normalized.clone(), |f| reference::unary_forward(f, &normalized))
}

/// Both gradients of a convolution, found from the gradient of what a norm makes of its result, and the sums that the
/// gradient of the norm before it starts from.
///
/// Inputs: the map, the weight, the gradient; of the norm before, its weight, mean, 1/σ and offset; of the norm after,
/// the convolution's result, its weight, mean, 1/σ, offset, and slope and constant of its gradient. Outputs: the
/// gradients of what the convolution reads (of the norm's result before its activation, where there is a norm before) and
/// of its weight, then as [`BatchNormGradSums`](super::BatchNormGradSums) where there is a norm before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conv2dNormedGrad {
    pub(crate) conv: Conv2d,
    pub(crate) before: Option<Norm>,
    pub(crate) after: Option<Norm>,
}

impl Conv2dNormedGrad {
    /// Where the inputs of the norm after begin.
    pub(crate) fn after_at(&self) -> usize {
        3 + self.before.map_or(0, |_| Norm::INPUTS)
    }
}

impl Operator for Conv2dNormedGrad {
    fn kind(&self) -> &'static str {
        "conv2d_normed_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        match self.before {
            Some(_) => &[
                "input",
                "weight",
                "gradient",
                "weight before",
                "mean before",
                "1/σ before",
                "offset before",
                "result",
                "weight after",
                "mean after",
                "1/σ after",
                "offset after",
                "slope",
                "constant",
            ],
            None => &[
                "input",
                "weight",
                "gradient",
                "result",
                "weight after",
                "mean after",
                "1/σ after",
                "offset after",
                "slope",
                "constant",
            ],
        }
    }

    fn gives_map(&self, output: usize) -> bool {
        output == 0
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        let at = self.after_at();
        let count = at + self.after.map_or(0, |_| 3 + Norm::INPUTS);
        inputs.count(count..=count)?;
        let output = self.conv.output_shape(inputs)?;
        inputs.of(2, DType::F32)?;
        inputs.same_shape(2, "output", &output)?;
        (3..at).try_for_each(|operand| inputs.per_channel(operand))?;
        if self.after.is_some() {
            inputs.of(at, DType::F32)?;
            inputs.same_shape(at, "output", &output)?;
            for operand in at + 1..count {
                let [numbers] = inputs.axes(operand, DType::F32)?;
                inputs.agree("numbers", (operand, numbers), (1, output[3]))?;
            }
        }
        let (map, weight) = (inputs.type_of(0), inputs.type_of(1));
        let mut types = vec![map.clone(), weight.clone()];
        if self.before.is_some() {
            types.extend(sums_types(kernel_shape(&map.shape).channels));
        }
        Ok(types)
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = self.conv.kernel_shape(inputs[0].shape, inputs[1].shape);
        let mut dy = inputs[2].values.to_vec();
        if let Some(after) = self.after {
            let at = self.after_at();
            let [gamma, mean, inv_std, offset, slope, constant] = [1, 2, 3, 4, 5, 6].map(|i| inputs[at + i].values);
            let activated = activated_gradient(after.activation, inputs[at], [gamma, mean, inv_std, offset], &dy);
            dy = input_gradient(inputs[at], &activated, [gamma, mean, inv_std, slope, constant]);
        }
        let source = read(self.before, inputs, 3);
        let dx = reference::conv2d_grad_input(&shape, &dy, inputs[1].values);
        let dweight = reference::conv2d_grad_weight(&shape, &source, &dy);
        let mut outputs = vec![dx, dweight];
        if let Some(before) = self.before {
            let line = [0, 1, 2, 3].map(|i| inputs[3 + i].values);
            let [gamma, mean, inv_std, _] = line;
            outputs[0] = activated_gradient(before.activation, inputs[0], line, &outputs[0]);
            let norm_shape = kernel_shape(inputs[0].shape);
            outputs.extend(gradient_sums(&norm_shape, [inputs[0].values, &outputs[0], gamma, mean, inv_std]));
        }
        outputs
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, Operand, case, given, refusal};

    const DEPTHWISE: Conv2d = Conv2d { stride: [2, 2], padding: [1, 1], trailing: [0, 0], groups: 9 };

    fn tensors<const N: usize>(shapes: [&[usize]; N]) -> [Operand; N] {
        shapes.map(|shape| given(DType::F32, shape.to_vec()))
    }

    fn norm(activation: Option<Unary>) -> Option<Norm> {
        Some(Norm { activation })
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "conv2d_normed",
        cases: || {
            let pointwise = Conv2dNormed { conv: Conv2d::default(), norm: norm(Some(Unary::Relu6)) };
            vec![
                case("1×1", pointwise, tensors([&[2, 5, 6, 4], &[1, 1, 4, 18], &[4], &[4], &[4], &[4]])),
                case(
                    "depthwise",
                    Conv2dNormed { conv: DEPTHWISE, norm: None },
                    tensors([&[1, 9, 6, 9], &[3, 3, 1, 9]]),
                ),
            ]
        },
        refusals: || {
            vec![refusal(
                Conv2dNormed { conv: Conv2d::default(), norm: norm(None) },
                [&[2, 5, 6, 4], &[1, 1, 4, 18], &[4], &[4], &[4], &[5]],
                "node: the input has 4 channels, the offset expects 5 (input 2×5×6×4, offset 5)",
            )]
        },
    };

    pub(in crate::ops) const GRAD: Entry = Entry {
        name: "conv2d_normed_grad",
        cases: || {
            let pointwise = Conv2dNormedGrad { conv: Conv2d::default(), before: None, after: norm(Some(Unary::Silu)) };
            let depthwise = Conv2dNormedGrad { conv: DEPTHWISE, before: norm(Some(Unary::Relu)), after: norm(None) };
            vec![
                case(
                    "1×1",
                    pointwise,
                    tensors([
                        &[2, 40, 41, 4],
                        &[1, 1, 4, 18],
                        &[2, 40, 41, 18],
                        &[2, 40, 41, 18],
                        &[18],
                        &[18],
                        &[18],
                        &[18],
                        &[18],
                        &[18],
                    ]),
                ),
                case(
                    "depthwise",
                    depthwise,
                    tensors([
                        &[1, 9, 6, 9],
                        &[3, 3, 1, 9],
                        &[1, 5, 3, 9],
                        &[9],
                        &[9],
                        &[9],
                        &[9],
                        &[1, 5, 3, 9],
                        &[9],
                        &[9],
                        &[9],
                        &[9],
                        &[9],
                        &[9],
                    ]),
                ),
            ]
        },
        refusals: || {
            vec![refusal(
                Conv2dNormedGrad { conv: Conv2d::default(), before: None, after: None },
                [&[2, 5, 6, 4], &[1, 1, 4, 18], &[2, 5, 5, 18]],
                "node: the gradient and the output must have one shape, not 2×5×5×18 and 2×5×6×18",
            )]
        },
    };
}
