//! Addition.

use avizor_kernels::reference;

use crate::{DType, GradientSite, GraphError, Operands, Operator, ShapeError, Storage, TensorType, Wide};

/// `left + right`, of one shape: the end of a residual block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Add;

impl Operator for Add {
    fn kind(&self) -> &'static str {
        "add"
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
        Storage::InPlace(&[0, 1])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        site.give(0, site.gradient());
        site.give(1, site.gradient());
        Ok(())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::add(inputs[0].values, inputs[1].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "add",
        cases: || {
            vec![
                case("two maps", Add, [trained([2, 3, 5, 7]), trained([2, 3, 5, 7])]),
                case("one number", Add, [trained([1]), trained([1])]),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    Add,
                    [&[2, 3], &[3, 2]],
                    "node: the left side and the right side must have one shape, not 2×3 and 3×2",
                ),
                refusal(Add, [&[2, 3]], "node: it got 1 inputs and takes 2"),
                refusal(Add, [&[0, 3], &[0, 3]], "node: the left side must not be empty, as the shape 0×3 is"),
            ]
        },
    };
}
