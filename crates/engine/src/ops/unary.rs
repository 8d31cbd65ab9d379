//! Functions of one number.

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

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
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

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
    }
}
