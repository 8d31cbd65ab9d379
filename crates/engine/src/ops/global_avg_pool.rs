//! The mean of every map, and its gradient.

use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// `[batch][height][width][channels]` to `[batch][channels]`: `AdaptiveAvgPool2d(1)` and `flatten` of PyTorch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalAvgPool;

impl Operator for GlobalAvgPool {
    fn kind(&self) -> &'static str {
        "global_avg_pool"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let [batch, _, _, channels] = inputs.axes(0, DType::F32)?;
        Ok(vec![TensorType::f32([batch, channels])])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dy, input) = (site.gradient(), site.input_shape(0));
        site.compute(0, GlobalAvgPoolGrad { input }, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let &[batch, height, width, channels] = &**inputs[0].shape else {
            unreachable!("the shape rule wants four axes")
        };
        let pixels = height * width;
        let mut y = vec![0.0; batch * channels];
        for (i, value) in inputs[0].values.iter().enumerate() {
            y[i / (pixels * channels) * channels + i % channels] += value / pixels as f64;
        }
        vec![y]
    }
}

/// The gradient of the maps, from that of their means.
#[derive(Clone, Debug)]
pub(crate) struct GlobalAvgPoolGrad {
    /// Shape of the maps.
    pub(crate) input: Shape,
}

impl Operator for GlobalAvgPoolGrad {
    fn kind(&self) -> &'static str {
        "global_avg_pool_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        inputs.axes::<2>(0, DType::F32)?;
        Ok(vec![TensorType::f32(self.input.clone())])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let (pixels, channels) = (self.input[1] * self.input[2], self.input[3]);
        let gradient = |i: usize| inputs[0].values[i / (pixels * channels) * channels + i % channels] / pixels as f64;
        vec![(0..self.input.elements()).map(gradient).collect()]
    }
}
