//! Channel gates, and their gradients.

use avizor_kernels::gate::GateShape;
use avizor_kernels::reference;

use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, Storage, TensorType, Wide};

/// Every map of a picture times a number of its own: the end of squeeze-and-excitation.
///
/// Inputs: maps `[batch][height][width][channels]` and gates `[batch][channels]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate;

/// The sizes that kernels want, from the shape of the maps.
pub(crate) fn kernel_shape(maps: &Shape) -> GateShape {
    GateShape { batch: maps[0], pixels: maps[1] * maps[2], channels: maps[3] }
}

/// The first two operands being maps and gates.
fn check(inputs: Operands<'_>) -> Result<(), ShapeError> {
    let [batch, _, _, channels] = inputs.axes(0, DType::F32)?;
    let [gates, per_picture] = inputs.axes(1, DType::F32)?;
    inputs.agree("pictures", (0, batch), (1, gates))?;
    inputs.agree("channels", (0, channels), (1, per_picture))
}

impl Operator for Gate {
    fn kind(&self) -> &'static str {
        "gate"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gate"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        check(inputs)?;
        Ok(vec![TensorType::f32(inputs.of(0, DType::F32)?.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::InPlace(&[0])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let inputs = [site.input(0), site.input(1), site.gradient()];
        let gradients = site.apply(GateGrad, &inputs)?;
        gradients.into_iter().enumerate().for_each(|(input, gradient)| site.give(input, gradient));
        Ok(())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::gate(&kernel_shape(inputs[0].shape), inputs[0].values, inputs[1].values)]
    }
}

/// The gradients of maps and gates in one pass over both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GateGrad;

impl Operator for GateGrad {
    fn kind(&self) -> &'static str {
        "gate_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gate", "gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(3..=3)?;
        check(inputs)?;
        inputs.of(2, DType::F32)?;
        inputs.equal(0, 2)?;
        Ok(vec![TensorType::f32(inputs.of(0, DType::F32)?.clone()), TensorType::f32(inputs.of(1, DType::F32)?.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::InPlace(&[2])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, gate, dy] = [0, 1, 2].map(|operand| inputs[operand].values);
        let (dx, dgate) = reference::gate_backward(&kernel_shape(inputs[0].shape), x, gate, dy);
        vec![dx, dgate]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "gate",
        cases: || {
            vec![
                case("maps", Gate, [trained([3, 5, 7, 33]), trained([3, 33])]),
                case("more pixels than a block", Gate, [trained([2, 9, 8, 17]), trained([2, 17])]),
                case("one number", Gate, [trained([1, 1, 1, 1]), trained([1, 1])]),
                case("gates alone", Gate, [given(DType::F32, [2, 3, 3, 5]), trained([2, 5])]),
                case("maps alone", Gate, [trained([2, 3, 3, 5]), given(DType::F32, [2, 5])]),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    Gate,
                    [&[2, 4, 4, 8], &[2, 4]],
                    "node: the input has 8 channels, the gate expects 4 (input 2×4×4×8, gate 2×4)",
                ),
                refusal(
                    Gate,
                    [&[2, 4, 4, 8], &[1, 8]],
                    "node: the input has 2 pictures, the gate expects 1 (input 2×4×4×8, gate 1×8)",
                ),
                refusal(Gate, [&[2, 8], &[2, 8]], "node: the input must have 4 axes, not the shape 2×8"),
            ]
        },
    };
}
