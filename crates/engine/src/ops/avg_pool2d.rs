//! Average pooling and its gradient.

use avizor_kernels::pool2d::Pool2dShape;

use super::max_pool2d::{kernel_shape, pooled_shape};
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
}

impl AvgPool2d {
    pub(crate) fn kernel_shape(&self, input: &Shape) -> Pool2dShape {
        kernel_shape(input, self.kernel, self.stride, self.padding)
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
        Ok(vec![TensorType::f32(pooled_shape(inputs, self.kernel, self.stride, self.padding)?)])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dy, input) = (site.gradient(), site.input_shape(0));
        site.compute(0, AvgPool2dGrad { pool: *self, input }, &[dy])
    }

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
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

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
    }
}
