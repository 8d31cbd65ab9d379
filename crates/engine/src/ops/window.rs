//! A window that slides over a map: what convolution and pooling share.

use crate::operator::require;
use crate::{Shape, ShapeError};

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
