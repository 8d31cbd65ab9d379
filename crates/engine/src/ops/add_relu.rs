//! Addition and ReLU in one pass over memory; made by the pass `fuse_add_relu`.

use avizor_kernels::reference;

use crate::{DType, Operands, Operator, ShapeError, Storage, TensorType, Wide};

/// `max(left + right, 0)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddRelu;

impl Operator for AddRelu {
    fn kind(&self) -> &'static str {
        "add_relu"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["left side", "right side"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let shape = inputs.of(0, DType::F32)?;
        inputs.of(1, DType::F32)?;
        inputs.equal(0, 1)?;
        Ok(vec![TensorType::f32(shape.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::Fresh
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::add_relu(inputs[0].values, inputs[1].values)]
    }
}

/// The gradient of both sides, where two readers of the result give one each: their sum where the result is above zero.
/// Inputs: the result, the two gradients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddReluGrad;

impl Operator for AddReluGrad {
    fn kind(&self) -> &'static str {
        "add_relu_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["result", "gradient", "other gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(3..=3)?;
        let shape = inputs.of(0, DType::F32)?;
        (1..3).try_for_each(|operand| {
            inputs.of(operand, DType::F32)?;
            inputs.equal(0, operand)
        })?;
        Ok(vec![TensorType::f32(shape.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::InPlace(&[1, 2])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [y, a, b] = [0, 1, 2].map(|operand| inputs[operand].values);
        vec![y.iter().zip(a.iter().zip(b)).map(|(&y, (a, b))| if y <= 0.0 { 0.0 } else { a + b }).collect()]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "add_relu",
        cases: || vec![case("two maps", AddRelu, [given(DType::F32, [2, 3, 5, 7]), given(DType::F32, [2, 3, 5, 7])])],
        refusals: || {
            vec![refusal(
                AddRelu,
                [&[2, 3], &[3, 2]],
                "node: the left side and the right side must have one shape, not 2×3 and 3×2",
            )]
        },
    };

    pub(in crate::ops) const GRAD: Entry = Entry {
        name: "add_relu_grad",
        cases: || vec![case("three maps", AddReluGrad, [(); 3].map(|()| given(DType::F32, [2, 3, 5, 7])))],
        refusals: || {
            vec![refusal(
                AddReluGrad,
                [&[2, 3], &[2, 3], &[3, 2]],
                "node: the result and the other gradient must have one shape, not 2×3 and 3×2",
            )]
        },
    };
}
