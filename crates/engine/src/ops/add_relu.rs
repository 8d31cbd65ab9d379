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
}
