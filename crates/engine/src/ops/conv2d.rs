//! 2-D convolution and its two gradients.

use avizor_kernels::conv2d::Conv2dShape;
use avizor_kernels::reference;

use super::window::slide;
use super::{SumRows, conv2d_fused};
use crate::operator::require;
use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// 2-D convolution, NHWC, groups included. Meaning of every option: `torch.nn.Conv2d`; of pairs the first is vertical.
///
/// Inputs: the map `[batch][height][width][in]`, the weight `[kernel height][kernel width][in / groups][out]`, and if
/// there is one the bias `[out]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Steps of the kernel.
    pub stride: [usize; 2],
    /// Zeros put before and after each axis.
    pub padding: [usize; 2],
    /// More zeros put after each axis: TensorFlow's "same" padding has such.
    pub trailing: [usize; 2],
    /// Channels are cut into this many groups, each convolved by itself.
    pub groups: usize,
}

impl Default for Conv2d {
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0, 0], trailing: [0, 0], groups: 1 }
    }
}

impl Conv2d {
    /// The sizes that kernels want, from the shapes of input and weight.
    pub(crate) fn kernel_shape(&self, input: &Shape, weight: &Shape) -> Conv2dShape {
        let Self { stride, padding, trailing, groups } = *self;
        Conv2dShape {
            batch: input[0],
            height: input[1],
            width: input[2],
            in_channels: input[3],
            out_channels: weight[3],
            kernel: [weight[0], weight[1]],
            stride,
            padding,
            trailing,
            groups,
        }
    }

    /// The output's shape, the first two operands being input and weight.
    pub(crate) fn output_shape(&self, inputs: Operands<'_>) -> Result<Shape, ShapeError> {
        let input = inputs.axes::<4>(0, DType::F32)?;
        let [kernel_height, kernel_width, per_group, out] = inputs.axes(1, DType::F32)?;
        require(self.groups > 0, "number of groups", self.groups, "at least 1")?;
        inputs.agree("channels", (0, input[3]), (1, per_group * self.groups))?;
        require(out % self.groups == 0, "number of output channels", out, "a multiple of the groups")?;
        let [height, width] = slide(input, [kernel_height, kernel_width], self.stride, [self.padding, self.trailing])?;
        Ok([input[0], height, width, out].into())
    }
}

impl Operator for Conv2d {
    fn kind(&self) -> &'static str {
        "conv2d"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "weight", "bias"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=3)?;
        let output = self.output_shape(inputs)?;
        if inputs.len() == 3 {
            let [bias] = inputs.axes(2, DType::F32)?;
            inputs.agree("numbers", (2, bias), (1, output[3]))?;
        }
        Ok(vec![TensorType::f32(output)])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dy, x, weight) = (site.gradient(), site.input(0), site.input(1));
        let (input_shape, weight_shape) = (site.input_shape(0), site.input_shape(1));
        site.compute(0, Conv2dGradInput { conv: *self, input: input_shape }, &[dy, weight])?;
        site.compute(1, Conv2dGradWeight { conv: *self, weight: weight_shape }, &[x, dy])?;
        site.compute(2, SumRows, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = self.kernel_shape(inputs[0].shape, inputs[1].shape);
        let mut y = reference::conv2d_forward(&shape, inputs[0].values, inputs[1].values);
        if let Some(bias) = inputs.get(2) {
            conv2d_fused::add_bias(&mut y, bias.values);
        }
        vec![y]
    }
}

/// The gradient of a convolution's input, from that of its output and the weight.
#[derive(Clone, Debug)]
pub(crate) struct Conv2dGradInput {
    pub(crate) conv: Conv2d,
    /// Shape of the input.
    pub(crate) input: Shape,
}

impl Operator for Conv2dGradInput {
    fn kind(&self) -> &'static str {
        "conv2d_grad_input"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["gradient", "weight"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        inputs.axes::<4>(0, DType::F32)?;
        inputs.axes::<4>(1, DType::F32)?;
        Ok(vec![TensorType::f32(self.input.clone())])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = self.conv.kernel_shape(&self.input, inputs[1].shape);
        vec![reference::conv2d_grad_input(&shape, inputs[0].values, inputs[1].values)]
    }
}

/// The gradient of a convolution's weight, from its input and the gradient of its output.
#[derive(Clone, Debug)]
pub(crate) struct Conv2dGradWeight {
    pub(crate) conv: Conv2d,
    /// Shape of the weight.
    pub(crate) weight: Shape,
}

impl Operator for Conv2dGradWeight {
    fn kind(&self) -> &'static str {
        "conv2d_grad_weight"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gradient"]
    }

    fn gives_map(&self, _output: usize) -> bool {
        false
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        inputs.axes::<4>(0, DType::F32)?;
        inputs.axes::<4>(1, DType::F32)?;
        Ok(vec![TensorType::f32(self.weight.clone())])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = self.conv.kernel_shape(inputs[0].shape, &self.weight);
        vec![reference::conv2d_grad_weight(&shape, inputs[0].values, inputs[1].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    fn padded(padding: usize) -> Conv2d {
        Conv2d { padding: [padding; 2], ..Conv2d::default() }
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "conv2d",
        cases: || {
            vec![
                case("1×1", Conv2d::default(), [trained([1, 1, 1, 1]), trained([1, 1, 1, 1])]),
                case("3×3 with padding", padded(1), [trained([2, 5, 7, 3]), trained([3, 3, 3, 17])]),
                case("bias", padded(1), [trained([2, 4, 4, 8]), trained([3, 3, 8, 16]), trained([16])]),
                case("stem", Conv2d { stride: [2, 2], ..padded(3) }, [trained([2, 11, 13, 3]), trained([7, 7, 3, 8])]),
                case(
                    "1×1 with stride",
                    Conv2d { stride: [2, 2], ..padded(0) },
                    [trained([3, 7, 6, 9]), trained([1, 1, 9, 5])],
                ),
                case(
                    "stride past the kernel",
                    Conv2d { stride: [3, 4], ..padded(0) },
                    [trained([1, 9, 9, 2]), trained([2, 2, 2, 3])],
                ),
                case("padding past the input", padded(4), [trained([1, 2, 1, 2]), trained([3, 3, 2, 3])]),
                case("groups", Conv2d { groups: 3, ..padded(1) }, [trained([2, 5, 5, 6]), trained([3, 3, 2, 9])]),
                case(
                    "depthwise",
                    Conv2d { groups: 8, ..padded(1) },
                    [trained([2, 6, 5, 8]), trained([3, 3, 1, 8]), trained([8])],
                ),
                case(
                    "row kernel",
                    Conv2d { padding: [0, 2], ..padded(0) },
                    [trained([2, 3, 8, 4]), trained([1, 5, 4, 33])],
                ),
                case(
                    "more zeros after",
                    Conv2d { stride: [2, 2], trailing: [1, 1], ..padded(0) },
                    [trained([2, 6, 8, 4]), trained([3, 3, 4, 5])],
                ),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    Conv2d::default(),
                    [&[8, 56, 56, 64], &[3, 3, 128, 128]],
                    "node: the input has 64 channels, the weight expects 128 (input 8×56×56×64, weight 3×3×128×128)",
                ),
                refusal(
                    Conv2d::default(),
                    [&[8, 56, 64], &[3, 3, 64, 64]],
                    "node: the input must have 4 axes, not the shape 8×56×64",
                ),
                refusal(
                    padded(1),
                    [&[1, 2, 9, 3], &[5, 5, 3, 4]],
                    "node: a window of 5×5 does not fit the input 1×2×9×3 with a padding of 1×1",
                ),
                refusal(
                    Conv2d { stride: [0, 1], ..padded(0) },
                    [&[1, 2, 2, 1], &[1, 1, 1, 1]],
                    "node: the stride must be at least 1, not [0, 1]",
                ),
                refusal(
                    Conv2d { groups: 2, ..padded(0) },
                    [&[1, 2, 2, 4], &[1, 1, 2, 3]],
                    "node: the number of output channels must be a multiple of the groups, not 3",
                ),
                refusal(
                    Conv2d::default(),
                    [&[1, 2, 2, 4], &[1, 1, 4, 3], &[4]],
                    "node: the bias has 4 numbers, the weight expects 3 (bias 4, weight 1×1×4×3)",
                ),
            ]
        },
    };
}
