//! A window that slides over a map: what convolution and pooling share.

use avizor_kernels::pool2d::Pool2dShape;

use crate::operator::require;
use crate::{DType, Operands, Shape, ShapeError};

/// Height and width of the map that comes out. Refuses what kernels do not take: a stride or window of zero, and a
/// window larger than the padded input.
pub(super) fn slide(
    input: [usize; 4],
    kernel: [usize; 2],
    stride: [usize; 2],
    [padding, trailing]: [[usize; 2]; 2],
) -> Result<[usize; 2], ShapeError> {
    require(!kernel.contains(&0), "kernel", kernel, "at least 1")?;
    require(!stride.contains(&0), "stride", stride, "at least 1")?;
    let [_, height, width, _] = input;
    let along = |size: usize, axis: usize| {
        let padded = size + 2 * padding[axis] + trailing[axis];
        padded.checked_sub(kernel[axis]).map(|room| room / stride[axis] + 1)
    };
    match (along(height, 0), along(width, 1)) {
        (Some(height), Some(width)) => Ok([height, width]),
        _ => Err(ShapeError::Window { kernel, padding, input: Shape::from(input) }),
    }
}

/// The windows of a pooling.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) padding: [usize; 2],
    pub(super) trailing: [usize; 2],
}

impl Windows {
    /// The sizes that kernels want, over a map of this shape.
    pub(super) fn kernel_shape(self, input: &[usize]) -> Pool2dShape {
        let Self { kernel, stride, padding, trailing } = self;
        let [batch, height, width, channels] = [0, 1, 2, 3].map(|axis| input[axis]);
        Pool2dShape { batch, height, width, channels, kernel, stride, padding, trailing }
    }

    /// The output's shape.
    pub(super) fn pooled_shape(self, inputs: Operands<'_>) -> Result<Shape, ShapeError> {
        let Self { kernel, stride, padding, trailing } = self;
        inputs.count(1..=1)?;
        let input = inputs.axes::<4>(0, DType::F32)?;
        let [height, width] = slide(input, kernel, stride, [padding, trailing])?;
        let holds = |of: fn([usize; 3]) -> bool| (0..2).all(|axis| of([kernel[axis], padding[axis], trailing[axis]]));
        let fits = holds(|[kernel, padding, _]| padding <= kernel / 2);
        require(fits, "padding", padding, "at most half the window")?;
        let begins = holds(|[kernel, padding, trailing]| padding + trailing < kernel);
        require(begins, "places after the end", trailing, "so few that every window begins in the map")?;
        Ok([input[0], height, width, input[3]].into())
    }
}
