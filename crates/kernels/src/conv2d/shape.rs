//! The sizes of a convolution.

/// A 2-D convolution: sizes of its tensors, and how the kernel walks. The meaning of each is that of `torch.nn.Conv2d`.
///
/// Tensors are NHWC: input `[batch][height][width][in_channels]`, output
/// `[batch][out_height][out_width][out_channels]`, weight `[kernel 0][kernel 1][in_channels / groups][out_channels]`.
/// Of pairs the first is vertical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2dShape {
    /// Pictures.
    pub batch: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the input; a multiple of `groups`.
    pub in_channels: usize,
    /// Channels of the output; a multiple of `groups`.
    pub out_channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps of the kernel.
    pub stride: [usize; 2],
    /// Zeros put before and after each axis.
    pub padding: [usize; 2],
    /// More zeros put after each axis: TensorFlow's "same" padding has such.
    pub trailing: [usize; 2],
    /// Channels are cut into this many trailing: [0, 0], groups, each convolved by itself.
    pub groups: usize,
}

impl Conv2dShape {
    /// Rows of the output; 0 where the kernel is larger than the padded input.
    pub fn out_height(&self) -> usize {
        self.walked(0, self.height)
    }

    /// Columns of the output; 0 where the kernel is larger than the padded input.
    pub fn out_width(&self) -> usize {
        self.walked(1, self.width)
    }

    /// Numbers in the input.
    pub fn input_len(&self) -> usize {
        self.batch * self.height * self.width * self.in_channels
    }

    /// Numbers in the weight.
    pub fn weight_len(&self) -> usize {
        self.taps() * self.group_in() * self.out_channels
    }

    /// Numbers in the output.
    pub fn output_len(&self) -> usize {
        self.out_pixels() * self.out_channels
    }

    /// Multiplications with addition of the direct computation; those with padding count.
    pub fn multiply_adds(&self) -> usize {
        self.output_len() * self.taps() * self.group_in()
    }

    /// Places of the kernel.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Pixels of the output, of all pictures.
    pub(crate) fn out_pixels(&self) -> usize {
        self.batch * self.out_height() * self.out_width()
    }

    /// Input channels of a group.
    pub(crate) fn group_in(&self) -> usize {
        self.in_channels / self.groups
    }

    /// Output channels of a group.
    pub(crate) fn group_out(&self) -> usize {
        self.out_channels / self.groups
    }

    /// # Panics
    /// When a size is zero, the channels do not divide by the groups, or nothing comes out: whoever builds the network
    /// has to refuse such a shape before.
    pub(crate) fn check(&self) {
        let sizes = [self.batch, self.height, self.width, self.in_channels, self.out_channels, self.groups];
        let nonzero = sizes.iter().chain(&self.kernel).chain(&self.stride).all(|&size| size > 0);
        assert!(nonzero, "a size of zero: {self:?}");
        let divides = self.in_channels.is_multiple_of(self.groups) && self.out_channels.is_multiple_of(self.groups);
        assert!(divides, "channels that do not divide by the groups: {self:?}");
        assert!(self.out_height() > 0 && self.out_width() > 0, "no output: {self:?}");
    }

    /// Places of the kernel along an axis.
    fn walked(&self, axis: usize, len: usize) -> usize {
        let padded = len + 2 * self.padding[axis] + self.trailing[axis];
        padded.checked_sub(self.kernel[axis]).map_or(0, |room| room / self.stride[axis] + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEM: Conv2dShape = Conv2dShape {
        batch: 2,
        height: 160,
        width: 161,
        in_channels: 3,
        out_channels: 64,
        kernel: [7, 7],
        stride: [2, 2],
        padding: [3, 3],
        trailing: [0, 0],
        groups: 1,
    };

    #[test]
    fn sizes_are_those_of_torch() {
        assert_eq!((STEM.out_height(), STEM.out_width()), (80, 81));
        assert_eq!(STEM.input_len(), 2 * 160 * 161 * 3);
        assert_eq!(STEM.output_len(), 2 * 80 * 81 * 64);
        assert_eq!(STEM.weight_len(), 49 * 3 * 64);
        assert_eq!(STEM.multiply_adds(), 2 * 80 * 81 * 64 * 147);
        let huge_kernel = Conv2dShape { kernel: [200, 1], ..STEM };
        assert_eq!(huge_kernel.out_height(), 0);
        assert_eq!(Conv2dShape { in_channels: 12, out_channels: 8, groups: 4, ..STEM }.weight_len(), 49 * 3 * 8);
    }

    #[test]
    #[should_panic(expected = "no output")]
    fn a_shape_without_output_is_refused() {
        Conv2dShape { kernel: [200, 1], ..STEM }.check();
    }

    #[test]
    #[should_panic(expected = "do not divide")]
    fn channels_must_divide_by_the_groups() {
        Conv2dShape { groups: 2, ..STEM }.check();
    }
}
