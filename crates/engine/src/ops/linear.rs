//! The linear layer and its two gradients.

use avizor_kernels::linear::LinearShape;
use avizor_kernels::reference;

use super::{SumRows, conv2d_fused};
use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// `input · weight + bias`. Inputs: `[rows][in]`, the weight `[in][out]`, and if there is one the bias `[out]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linear;

impl Linear {
    /// The sizes that kernels want, from the shapes of input and weight.
    pub(crate) fn kernel_shape(self, input: &Shape, weight: &Shape) -> LinearShape {
        LinearShape { rows: input[0], inputs: weight[0], outputs: weight[1] }
    }
}

impl Operator for Linear {
    fn kind(&self) -> &'static str {
        "linear"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "weight", "bias"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=3)?;
        let [rows, features] = inputs.axes(0, DType::F32)?;
        let [expected, out] = inputs.axes(1, DType::F32)?;
        inputs.agree("features", (0, features), (1, expected))?;
        if inputs.len() == 3 {
            let [bias] = inputs.axes(2, DType::F32)?;
            inputs.agree("numbers", (2, bias), (1, out))?;
        }
        Ok(vec![TensorType::f32([rows, out])])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dy, x, weight) = (site.gradient(), site.input(0), site.input(1));
        site.compute(0, LinearGradInput, &[dy, weight])?;
        site.compute(1, LinearGradWeight, &[x, dy])?;
        site.compute(2, SumRows, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = self.kernel_shape(inputs[0].shape, inputs[1].shape);
        let mut y = reference::linear_forward(&shape, inputs[0].values, inputs[1].values);
        if let Some(bias) = inputs.get(2) {
            conv2d_fused::add_bias(&mut y, bias.values);
        }
        vec![y]
    }
}

/// The gradient of a linear layer's input, from that of its output and the weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearGradInput;

impl Operator for LinearGradInput {
    fn kind(&self) -> &'static str {
        "linear_grad_input"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["gradient", "weight"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let [rows, out] = inputs.axes(0, DType::F32)?;
        let [features, expected] = inputs.axes(1, DType::F32)?;
        inputs.agree("features", (0, out), (1, expected))?;
        Ok(vec![TensorType::f32([rows, features])])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = LinearShape { rows: inputs[0].shape[0], inputs: inputs[1].shape[0], outputs: inputs[1].shape[1] };
        vec![reference::linear_grad_input(&shape, inputs[0].values, inputs[1].values)]
    }
}

/// The gradient of a linear layer's weight, from its input and the gradient of its output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearGradWeight;

impl Operator for LinearGradWeight {
    fn kind(&self) -> &'static str {
        "linear_grad_weight"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let [rows, features] = inputs.axes(0, DType::F32)?;
        let [expected, out] = inputs.axes(1, DType::F32)?;
        inputs.agree("rows", (0, rows), (1, expected))?;
        Ok(vec![TensorType::f32([features, out])])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let (input, gradient) = (inputs[0].shape, inputs[1].shape);
        let shape = LinearShape { rows: input[0], inputs: input[1], outputs: gradient[1] };
        vec![reference::linear_grad_weight(&shape, inputs[0].values, inputs[1].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "linear",
        cases: || {
            vec![
                case("one number", Linear, [trained([1, 1]), trained([1, 1]), trained([1])]),
                case("without bias", Linear, [trained([3, 17]), trained([17, 5])]),
                case("wide", Linear, [trained([5, 33]), trained([33, 101]), trained([101])]),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    Linear,
                    [&[4, 512], &[256, 10]],
                    "node: the input has 512 features, the weight expects 256 (input 4×512, weight 256×10)",
                ),
                refusal(
                    Linear,
                    [&[4, 7, 7, 512], &[512, 10]],
                    "node: the input must have 2 axes, not the shape 4×7×7×512",
                ),
                refusal(
                    Linear,
                    [&[4, 2], &[2, 3], &[2]],
                    "node: the bias has 2 numbers, the weight expects 3 (bias 2, weight 2×3)",
                ),
            ]
        },
    };
}
