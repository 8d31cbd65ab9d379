//! Every channel times a number of its own, and its gradients.

use avizor_kernels::gate::GateShape;
use avizor_kernels::reference;

use super::batch_norm::wide;
use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, Storage, TensorType, Wide};

/// Every channel times a number of its own, the same for all pictures: "layer scale" at the end of a residual branch.
/// Source: Touvron et al. 2021, arXiv:2103.17239.
///
/// Inputs: the activations `[..][channels]` and the scale `[channels]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelScale;

/// To the kernels, the gates of a batch that is one picture.
pub(crate) fn kernel_shape(input: &Shape) -> GateShape {
    let channels = input.last().copied().unwrap_or(1);
    GateShape { batch: 1, pixels: input.elements() / channels, channels }
}

impl Operator for ChannelScale {
    fn kind(&self) -> &'static str {
        "channel_scale"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "scale"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let shape = inputs.of(0, DType::F32)?;
        inputs.per_channel(1)?;
        Ok(vec![TensorType::f32(shape.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::InPlace(&[0])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let inputs = [site.input(0), site.input(1), site.gradient()];
        let gradients = site.apply(ChannelScaleGrad, &inputs)?;
        gradients.into_iter().enumerate().for_each(|(input, gradient)| site.give(input, gradient));
        Ok(())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, scale] = wide(inputs);
        vec![reference::gate(&kernel_shape(inputs[0].shape), x, scale)]
    }
}

/// The gradients of input and scale in one pass over the input and the gradient of the output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelScaleGrad;

impl Operator for ChannelScaleGrad {
    fn kind(&self) -> &'static str {
        "channel_scale_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "scale", "gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(3..=3)?;
        let shape = inputs.of(0, DType::F32)?;
        inputs.per_channel(1)?;
        inputs.equal(0, 2)?;
        Ok(vec![TensorType::f32(shape.clone()), TensorType::f32([kernel_shape(shape).channels])])
    }

    fn storage(&self) -> Storage {
        Storage::InPlace(&[2])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, scale, dy] = wide(inputs);
        let (dx, dscale) = reference::gate_backward(&kernel_shape(inputs[0].shape), x, scale, dy);
        vec![dx, dscale]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "channel_scale",
        cases: || {
            vec![
                case("maps", ChannelScale, [trained([3, 5, 7, 33]), trained([33])]),
                case("rows", ChannelScale, [trained([4, 17]), trained([17])]),
                case("scale alone", ChannelScale, [given(DType::F32, [2, 3, 3, 5]), trained([5])]),
                case("maps alone", ChannelScale, [trained([2, 3, 3, 5]), given(DType::F32, [5])]),
            ]
        },
        refusals: || {
            vec![refusal(
                ChannelScale,
                [&[2, 4, 4, 8], &[4]],
                "node: the input has 8 channels, the scale expects 4 (input 2×4×4×8, scale 4)",
            )]
        },
    };
}
