//! Max pooling and its gradient.

use avizor_kernels::pool2d::Pool2dShape;
use avizor_kernels::reference;

use super::window::Windows;
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
    /// More of them put after, less than what padding leaves of the window: with PyTorch's `ceil_mode` windows hang over.
    pub trailing: [usize; 2],
}

impl MaxPool2d {
    fn windows(&self) -> Windows {
        let Self { kernel, stride, padding, trailing } = *self;
        Windows { kernel, stride, padding, trailing }
    }

    pub(crate) fn kernel_shape(&self, input: &Shape) -> Pool2dShape {
        self.windows().kernel_shape(input)
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
        let shape = self.windows().pooled_shape(inputs)?;
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
        MaxPool2d { kernel, stride, padding, trailing: [0, 0] }
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "max_pool2d",
        cases: || {
            vec![
                case("stem", pool([3, 3], [2, 2], [1, 1]), [trained([2, 7, 9, 5])]),
                case("halves", pool([2, 2], [2, 2], [0, 0]), [trained([1, 5, 4, 17])]),
                case("stride past the window", pool([2, 1], [3, 2], [0, 0]), [trained([1, 8, 5, 3])]),
                case(
                    "over the end",
                    MaxPool2d { trailing: [1, 1], ..pool([3, 3], [2, 2], [0, 0]) },
                    [trained([2, 6, 8, 5])],
                ),
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
                    MaxPool2d { trailing: [0, 2], ..pool([3, 3], [2, 2], [1, 1]) },
                    [&[1, 8, 8, 3]],
                    "node: the places after the end must be so few that every window begins in the map, not [0, 2]",
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
