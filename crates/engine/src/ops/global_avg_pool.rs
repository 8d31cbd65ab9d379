//! The mean of every map, and its gradient.

use avizor_kernels::reference;

use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// `[batch][height][width][channels]` to `[batch][channels]`: `AdaptiveAvgPool2d(1)` and `flatten` of PyTorch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalAvgPool;

/// Batch, pixels and channels of maps.
pub(crate) fn sizes(maps: &Shape) -> (usize, usize, usize) {
    (maps[0], maps[1] * maps[2], maps[3])
}

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
        let (batch, pixels, channels) = sizes(inputs[0].shape);
        vec![reference::global_avg_pool(batch, pixels, channels, inputs[0].values)]
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
        let (batch, pixels, channels) = sizes(&self.input);
        vec![reference::global_avg_pool_backward(batch, pixels, channels, inputs[0].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "global_avg_pool",
        cases: || {
            vec![
                case("maps", GlobalAvgPool, [trained([3, 5, 4, 17])]),
                case("one pixel", GlobalAvgPool, [trained([1, 1, 1, 1])]),
            ]
        },
        refusals: || vec![refusal(GlobalAvgPool, [&[3, 5]], "node: the input must have 4 axes, not the shape 3×5")],
    };
}
