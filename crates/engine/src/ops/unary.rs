//! Functions of one number.

use avizor_kernels::reference;
use avizor_kernels::unary::Saved;

use crate::{DType, GradientSite, GraphError, Operands, Operator, ShapeError, Storage, TensorType, Wide};

pub use avizor_kernels::unary::Unary;

impl Operator for Unary {
    fn kind(&self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Softplus => "softplus",
            Self::HardSigmoid => "hard_sigmoid",
            Self::HardSwish => "hard_swish",
        }
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        Ok(vec![TensorType::f32(inputs.of(0, DType::F32)?.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::InPlace(&[0])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let saved = match self.saved() {
            Saved::Input => site.input(0),
            Saved::Output => site.output(0),
        };
        let dy = site.gradient();
        site.compute(0, UnaryGrad(*self), &[saved, dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::unary_forward(*self, inputs[0].values)]
    }
}

/// The gradient of a [`Unary`]'s argument, from what it saved and the gradient of its result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnaryGrad(pub(crate) Unary);

impl Operator for UnaryGrad {
    fn kind(&self) -> &'static str {
        "unary_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["saved value", "gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let shape = inputs.of(0, DType::F32)?;
        inputs.equal(0, 1)?;
        Ok(vec![TensorType::f32(shape.clone())])
    }

    fn storage(&self) -> Storage {
        // Of the others there is no kernel that does.
        if self.0 == Unary::Relu { Storage::InPlace(&[1]) } else { Storage::Fresh }
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let (saved, dy) = (inputs[0].values, inputs[1].values);
        // The kernels' reference starts from the argument; of these functions only the result was saved.
        let slope: fn(f64) -> f64 = match self.0 {
            Unary::Relu => |y| f64::from(u8::from(y > 0.0)),
            Unary::Relu6 => |y| f64::from(u8::from(y > 0.0 && y < 6.0)),
            Unary::Sigmoid => |y| y * (1.0 - y),
            Unary::Tanh => |y| 1.0 - y * y,
            Unary::HardSigmoid => |y| f64::from(u8::from(y > 0.0 && y < 1.0)) / 6.0,
            Unary::Silu | Unary::Gelu | Unary::Softplus | Unary::HardSwish => {
                return vec![reference::unary_backward(self.0, saved, dy)];
            }
        };
        vec![saved.iter().zip(dy).map(|(&saved, dy)| dy * slope(saved)).collect()]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "unary",
        cases: || {
            vec![
                case("relu", Unary::Relu, [trained([3, 7, 5])]),
                case("relu6", Unary::Relu6, [trained([4, 33]).between(-3.0, 9.0)]),
                case("silu", Unary::Silu, [trained([4, 33]).between(-6.0, 6.0)]),
                case("gelu", Unary::Gelu, [trained([4, 33]).between(-4.0, 4.0)]),
                case("sigmoid", Unary::Sigmoid, [trained([4, 33]).between(-6.0, 6.0)]),
                case("tanh", Unary::Tanh, [trained([4, 33]).between(-3.0, 3.0)]),
                case("softplus", Unary::Softplus, [trained([4, 33]).between(-6.0, 6.0)]),
                case("hard_sigmoid", Unary::HardSigmoid, [trained([4, 33]).between(-6.0, 6.0)]),
                case("hard_swish", Unary::HardSwish, [trained([4, 33]).between(-6.0, 6.0)]),
            ]
        },
        refusals: || vec![refusal(Unary::Relu, [&[1], &[1]], "node: it got 2 inputs and takes 1")],
    };
}
