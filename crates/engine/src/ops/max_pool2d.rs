//! Max pooling and its gradient.

use avizor_kernels::pool2d::Pool2dShape;
use avizor_kernels::reference;

use super::window::slide;
use crate::operator::require;
use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// The largest number of each window, per channel. Meaning of every option: `torch.nn.MaxPool2d`.
///
/// Beside the result it gives which place of its window each number came from, which its gradient reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool2d {
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps of the window.
    pub stride: [usize; 2],
    /// Rows and columns of -∞ put before and after; at most half the window.
    pub padding: [usize; 2],
}

/// The sizes that kernels want.
pub(super) fn kernel_shape(
    input: &[usize],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Pool2dShape {
    Pool2dShape { batch: input[0], height: input[1], width: input[2], channels: input[3], kernel, stride, padding }
}

/// The output's shape of a pooling.
pub(super) fn pooled_shape(
    inputs: Operands<'_>,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Result<Shape, ShapeError> {
    inputs.count(1..=1)?;
    let input = inputs.axes::<4>(0, DType::F32)?;
    let [height, width] = slide(input, kernel, stride, [padding, [0, 0]])?;
    let fits = padding[0] <= kernel[0] / 2 && padding[1] <= kernel[1] / 2;
    require(fits, "padding", padding, "at most half the window")?;
    Ok([input[0], height, width, input[3]].into())
}

impl MaxPool2d {
    pub(crate) fn kernel_shape(&self, input: &Shape) -> Pool2dShape {
        kernel_shape(input, self.kernel, self.stride, self.padding)
    }
}

impl Operator for MaxPool2d {
    fn kind(&self) -> &'static str {
        "max_pool2d"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        let shape = pooled_shape(inputs, self.kernel, self.stride, self.padding)?;
        require(self.kernel[0] * self.kernel[1] <= 256, "kernel", self.kernel, "at most 256 places")?;
        Ok(vec![TensorType::f32(shape.clone()), TensorType::new(DType::U8, shape)])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (window, dy, input) = (site.output(1), site.gradient(), site.input_shape(0));
        site.compute(0, MaxPool2dGrad { pool: *self, input }, &[window, dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let (y, choices) = reference::max_pool2d(&self.kernel_shape(inputs[0].shape), inputs[0].values);
        vec![y, choices.into_iter().map(f64::from).collect()]
    }
}

/// The gradient of a max pooling's input, from the chosen places and the gradient of its output.
#[derive(Clone, Debug)]
pub(crate) struct MaxPool2dGrad {
    pub(crate) pool: MaxPool2d,
    /// Shape of the input.
    pub(crate) input: Shape,
}

impl Operator for MaxPool2dGrad {
    fn kind(&self) -> &'static str {
        "max_pool2d_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["choices", "gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        inputs.of(0, DType::U8)?;
        inputs.of(1, DType::F32)?;
        inputs.equal(0, 1)?;
        Ok(vec![TensorType::f32(self.input.clone())])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let choices: Vec<u8> = inputs[0].values.iter().map(|&choice| choice as u8).collect();
        vec![reference::max_pool2d_backward(&self.pool.kernel_shape(&self.input), &choices, inputs[1].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    fn pool(kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> MaxPool2d {
        MaxPool2d { kernel, stride, padding }
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "max_pool2d",
        cases: || {
            vec![
                case("stem", pool([3, 3], [2, 2], [1, 1]), [trained([2, 7, 9, 5])]),
                case("halves", pool([2, 2], [2, 2], [0, 0]), [trained([1, 5, 4, 17])]),
                case("stride past the window", pool([2, 1], [3, 2], [0, 0]), [trained([1, 8, 5, 3])]),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    pool([3, 3], [1, 1], [2, 2]),
                    [&[1, 8, 8, 3]],
                    "node: the padding must be at most half the window, not [2, 2]",
                ),
                refusal(
                    pool([20, 20], [1, 1], [0, 0]),
                    [&[1, 32, 32, 3]],
                    "node: the kernel must be at most 256 places, not [20, 20]",
                ),
            ]
        },
    };
}
