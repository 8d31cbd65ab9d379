//! Average pooling and its gradient.

use avizor_kernels::pool2d::Pool2dShape;
use avizor_kernels::reference;

use super::window::Windows;
use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// The mean of each window, per channel. Meaning of every option: `torch.nn.AvgPool2d`; padding counts as zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool2d {
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps of the window.
    pub stride: [usize; 2],
    /// Rows and columns of zeros put before and after; at most half the window.
    pub padding: [usize; 2],
    /// Places after these that do not count, less than what padding leaves of the window: with PyTorch's `ceil_mode` windows
    /// hang over.
    pub trailing: [usize; 2],
}

impl AvgPool2d {
    fn windows(&self) -> Windows {
        let Self { kernel, stride, padding, trailing } = *self;
        Windows { kernel, stride, padding, trailing }
    }

    pub(crate) fn kernel_shape(&self, input: &Shape) -> Pool2dShape {
        self.windows().kernel_shape(input)
    }
}

impl Operator for AvgPool2d {
    fn kind(&self) -> &'static str {
        "avg_pool2d"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        Ok(vec![TensorType::f32(self.windows().pooled_shape(inputs)?)])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dy, input) = (site.gradient(), site.input_shape(0));
        site.compute(0, AvgPool2dGrad { pool: *self, input }, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::avg_pool2d(&self.kernel_shape(inputs[0].shape), inputs[0].values)]
    }
}

/// The gradient of an average pooling's input, from that of its output.
#[derive(Clone, Debug)]
pub(crate) struct AvgPool2dGrad {
    pub(crate) pool: AvgPool2d,
    /// Shape of the input.
    pub(crate) input: Shape,
}

impl Operator for AvgPool2dGrad {
    fn kind(&self) -> &'static str {
        "avg_pool2d_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        inputs.axes::<4>(0, DType::F32)?;
        Ok(vec![TensorType::f32(self.input.clone())])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::avg_pool2d_backward(&self.pool.kernel_shape(&self.input), inputs[0].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    fn pool(kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> AvgPool2d {
        AvgPool2d { kernel, stride, padding, trailing: [0, 0] }
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "avg_pool2d",
        cases: || {
            vec![
                case("padded", pool([3, 3], [2, 2], [1, 1]), [trained([2, 7, 9, 5])]),
                case("halves", pool([2, 2], [2, 2], [0, 0]), [trained([1, 5, 4, 17])]),
                case(
                    "over the end",
                    AvgPool2d { trailing: [1, 0], ..pool([3, 3], [2, 2], [1, 1]) },
                    [trained([2, 6, 7, 5])],
                ),
            ]
        },
        refusals: || {
            vec![refusal(
                pool([4, 4], [1, 1], [0, 0]),
                [&[1, 3, 8, 3]],
                "node: a window of 4×4 does not fit the input 1×3×8×3 with a padding of 0×0",
            )]
        },
    };
}
