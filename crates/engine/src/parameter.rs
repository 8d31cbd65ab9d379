//! What is known of a parameter besides its values.

use crate::Shape;

/// A parameter's place on disk, its starting values and its part in training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterSpec {
    /// How files order its values.
    pub layout: DiskLayout,
    /// Where it starts.
    pub initialiser: Initialiser,
    /// What it is for.
    pub role: Role,
}

impl ParameterSpec {
    /// Weight of a convolution, `[kernel height][kernel width][in / groups][out]`; starts as `torch.nn.Conv2d`'s.
    pub const CONV_WEIGHT: Self =
        Self { layout: DiskLayout::ConvWeight, initialiser: Initialiser::KaimingUniform, role: Role::Weight };
    /// Weight of a linear layer, `[in][out]`; starts as `torch.nn.Linear`'s.
    pub const LINEAR_WEIGHT: Self =
        Self { layout: DiskLayout::LinearWeight, initialiser: Initialiser::KaimingUniform, role: Role::Weight };
    /// Scale of a normalisation.
    pub const NORM_WEIGHT: Self = Self::plain(Initialiser::Constant(1.0), Role::Norm);
    /// Shift of a normalisation.
    pub const NORM_BIAS: Self = Self::plain(Initialiser::Constant(0.0), Role::Norm);
    /// Running mean of a batch norm.
    pub const RUNNING_MEAN: Self = Self::plain(Initialiser::Constant(0.0), Role::Statistic);
    /// Running variance of a batch norm.
    pub const RUNNING_VAR: Self = Self::plain(Initialiser::Constant(1.0), Role::Statistic);

    /// Bias of a convolution or linear layer with `fan_in` inputs for each output; starts as PyTorch's.
    pub const fn bias(fan_in: usize) -> Self {
        Self::plain(Initialiser::UniformFanIn(fan_in), Role::Bias)
    }

    /// Values in the same order on disk and in memory.
    pub const fn plain(initialiser: Initialiser, role: Role) -> Self {
        Self { layout: DiskLayout::Plain, initialiser, role }
    }

    /// The same with other starting values.
    pub const fn starting(self, initialiser: Initialiser) -> Self {
        Self { initialiser, ..self }
    }
}

/// What a parameter is for; optimizers' groups and freezing ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Multiplies inputs.
    Weight,
    /// Is added to outputs, or put beside them.
    Bias,
    /// Scale or shift of channels: of a normalisation, or of what a branch adds.
    Norm,
    /// A running mean or variance: gathered, never trained.
    Statistic,
}

impl Role {
    /// Whether an optimizer may change it.
    pub fn is_trained(self) -> bool {
        self != Self::Statistic
    }
}

/// Where a parameter starts. Fans are counted as `torch.nn.init` counts them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initialiser {
    /// Normal with standard deviation √(2 / fan out): torchvision's ResNet. Source: He et al. 2015, arXiv:1502.01852.
    KaimingNormalFanOut,
    /// Uniform in ±1/√(fan in): PyTorch's default weights (`kaiming_uniform_` with a = √5).
    KaimingUniform,
    /// Uniform in ±√(6 / fan in): torchvision's SqueezeNet (`kaiming_uniform_` as it is). Source: He et al. 2015.
    KaimingUniformRelu,
    /// Uniform in ±1/√n: PyTorch's default bias of a layer with n inputs for each output.
    UniformFanIn(usize),
    /// Normal with this standard deviation.
    Normal(f32),
    /// The same value everywhere.
    Constant(f32),
}

/// How files order a parameter's values. Memory is always in the order of the graph's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskLayout {
    /// As in memory.
    Plain,
    /// `[out][in / groups][height][width]` on disk, `[height][width][in / groups][out]` in memory.
    ConvWeight,
    /// `[out][in][1][1]` on disk, `[in][out]` in memory: a convolution of single pixels that is computed as a linear layer.
    PointwiseWeight,
    /// `[out][in]` on disk, `[in][out]` in memory, or `[1][1][in][out]` where the layer is computed as a convolution of
    /// single pixels.
    LinearWeight,
    /// `[channels][1][1]` on disk, `[channels]` in memory: what scales the channels of a map.
    PerChannel,
    /// As `LinearWeight`, for the first layer after flattening a map of this height and width: files count the inputs
    /// channel by channel, memory pixel by pixel.
    LinearAfterMap {
        /// Height and width of the flattened map.
        map: [usize; 2],
    },
    /// As in memory, `[1][1 + height · width][numbers]`: what stands for something else, then for the places of a grid row by
    /// row. Whoever reads a file of another grid may resample it.
    Grid {
        /// Height and width in places.
        grid: [usize; 2],
    },
}

impl DiskLayout {
    /// The shape on disk of a parameter that has `shape` in memory.
    pub fn disk_shape(self, shape: &Shape) -> Shape {
        match (self, &**shape) {
            (Self::ConvWeight, &[height, width, input, output]) => [output, input, height, width].into(),
            (Self::PointwiseWeight, &[input, output]) => [output, input, 1, 1].into(),
            (Self::LinearWeight | Self::LinearAfterMap { .. }, &[input, output])
            | (Self::LinearWeight, &[1, 1, input, output]) => [output, input].into(),
            (Self::PerChannel, &[channels]) => [channels, 1, 1].into(),
            _ => shape.clone(),
        }
    }

    /// Index on disk of every value, in memory's order.
    pub(crate) fn disk_indices(self, shape: &Shape) -> Box<dyn Iterator<Item = usize>> {
        let elements = shape.elements();
        match (self, &**shape) {
            (Self::ConvWeight, &[height, width, input, output]) => {
                let taps = height * width;
                Box::new((0..elements).map(move |i| {
                    let (o, i) = (i % output, i / output);
                    let (c, tap) = (i % input, i / input);
                    (o * input + c) * taps + tap
                }))
            }
            (Self::LinearWeight | Self::PointwiseWeight, &[input, output])
            | (Self::LinearWeight, &[1, 1, input, output]) => {
                Box::new((0..elements).map(move |i| (i % output) * input + i / output))
            }
            (Self::LinearAfterMap { map }, &[input, output]) => {
                let pixels = map[0] * map[1];
                let channels = input / pixels.max(1);
                Box::new((0..elements).map(move |i| {
                    let (o, i) = (i % output, i / output);
                    let (c, pixel) = (i % channels, i / channels);
                    o * input + c * pixels + pixel
                }))
            }
            _ => Box::new(0..elements),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(layout: DiskLayout, shape: &[usize]) -> Vec<usize> {
        layout.disk_indices(&shape.into()).collect()
    }

    #[test]
    fn memory_finds_its_values_on_disk() {
        assert_eq!(order(DiskLayout::Plain, &[3]), [0, 1, 2]);
        assert_eq!(order(DiskLayout::LinearWeight, &[3, 2]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(order(DiskLayout::LinearWeight, &[1, 1, 3, 2]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(order(DiskLayout::PointwiseWeight, &[3, 2]), [0, 3, 1, 4, 2, 5]);
        // Two outputs of two input channels over 1 × 2 taps: disk counts o, c, tap; memory tap, c, o.
        assert_eq!(order(DiskLayout::ConvWeight, &[1, 2, 2, 2]), [0, 4, 2, 6, 1, 5, 3, 7]);
        // One output over a 1 × 2 map of three channels: disk counts c, pixel; memory pixel, c.
        assert_eq!(order(DiskLayout::LinearAfterMap { map: [1, 2] }, &[6, 1]), [0, 2, 4, 1, 3, 5]);
        assert_eq!(*DiskLayout::PointwiseWeight.disk_shape(&[3, 2].into()), [2, 3, 1, 1]);
        assert_eq!(*DiskLayout::LinearWeight.disk_shape(&[1, 1, 3, 2].into()), [2, 3]);
        assert_eq!(*DiskLayout::PerChannel.disk_shape(&[3].into()), [3, 1, 1]);
        assert_eq!(*DiskLayout::ConvWeight.disk_shape(&[1, 2, 3, 4].into()), [4, 3, 1, 2]);
        let grid = DiskLayout::Grid { grid: [1, 2] };
        assert_eq!(
            (&*grid.disk_shape(&[1, 3, 2].into()), order(grid, &[1, 3, 2])),
            (&[1, 3, 2][..], vec![0, 1, 2, 3, 4, 5])
        );
    }
}
