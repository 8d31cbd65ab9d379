//! Maps side by side, and their gradients.

use avizor_kernels::reference;

use crate::operator::require;
use crate::{DType, GradientSite, GraphError, Operands, Operator, ShapeError, TensorType, Wide};

/// Two tensors joined along the last axis, the channels: `torch.cat` along PyTorch's axis 1. All other axes agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concat;

/// The axes of an input: all but the last, and the last.
fn rows_and_columns<'t>(inputs: Operands<'t>, operand: usize) -> Result<(&'t [usize], usize), ShapeError> {
    match inputs.of(operand, DType::F32)?.split_last() {
        Some((&columns, rows)) => Ok((rows, columns)),
        None => Err(ShapeError::Attribute { attribute: "number of axes", got: "0".to_owned(), expected: "at least 1" }),
    }
}

/// The type with this last axis.
fn joined(rows: &[usize], columns: usize) -> TensorType {
    TensorType::f32([rows, &[columns]].concat())
}

impl Operator for Concat {
    fn kind(&self) -> &'static str {
        "concat"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["first input", "second input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let [(rows, a), (other_rows, b)] = [rows_and_columns(inputs, 0)?, rows_and_columns(inputs, 1)?];
        if rows != other_rows {
            let [left, right] = [0, 1].map(|operand| inputs.type_of(operand).shape.clone());
            return Err(ShapeError::Joined { left, right });
        }
        Ok(vec![joined(rows, a + b)])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let last = |input: usize| site.input_shape(input).last().copied().unwrap_or(0);
        let grad = ConcatGrad { columns: [last(0), last(1)] };
        let dy = site.gradient();
        let gradients = site.apply(grad, &[dy])?;
        gradients.into_iter().enumerate().for_each(|(input, gradient)| site.give(input, gradient));
        Ok(())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let columns = [0, 1].map(|input: usize| inputs[input].shape[inputs[input].shape.len() - 1]);
        vec![reference::concat(columns, inputs[0].values, inputs[1].values)]
    }
}

/// The gradients of both sides, from that of what they were joined to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConcatGrad {
    /// Sizes of the last axes.
    pub(crate) columns: [usize; 2],
}

impl Operator for ConcatGrad {
    fn kind(&self) -> &'static str {
        "concat_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let (rows, columns) = rows_and_columns(inputs, 0)?;
        require(columns == self.columns.iter().sum(), "last axis", columns, "as long as those of both sides")?;
        Ok(self.columns.map(|columns| joined(rows, columns)).into())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        reference::split(self.columns, inputs[0].values).into()
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "concat",
        cases: || {
            vec![
                case("maps", Concat, [trained([2, 5, 7, 33]), trained([2, 5, 7, 16])]),
                case("rows", Concat, [trained([3, 1]), trained([3, 18])]),
                case("one side learns", Concat, [given(DType::F32, [2, 3, 3, 5]), trained([2, 3, 3, 4])]),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    Concat,
                    [&[2, 4, 4, 8], &[2, 4, 3, 8]],
                    "node: what is joined may differ in the last axis alone, not as 2×4×4×8 and 2×4×3×8 do",
                ),
                refusal(Concat, [&[2, 4]], "node: it got 1 inputs and takes 2"),
            ]
        },
    };
}
