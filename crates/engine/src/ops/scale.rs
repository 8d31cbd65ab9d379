//! Multiplication by one number: the share of a loss in a sum, and how the gradient of a loss reaches the logits.

use avizor_kernels::reference;

use crate::{DType, GradientSite, GraphError, Operands, Operator, ShapeError, TensorType, Wide};

/// `input · factor`, the factor being one number, `[1]`, that is given and not learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scale;

impl Operator for Scale {
    fn kind(&self) -> &'static str {
        "scale"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "factor"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let shape = inputs.of(0, DType::F32)?;
        inputs.of(1, DType::F32)?;
        inputs.same_shape(1, "scalar", &[1].into())?;
        Ok(vec![TensorType::f32(shape.clone())])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (gradient, factor) = (site.gradient(), site.input(1));
        site.compute(0, Self, &[gradient, factor])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::scale(inputs[1].values[0], inputs[0].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "scale",
        cases: || {
            vec![
                case("numbers", Scale, [trained([5, 7]), given(DType::F32, [1])]),
                case("one number", Scale, [trained([1]), given(DType::F32, [1])]),
            ]
        },
        refusals: || {
            vec![refusal(Scale, [&[5], &[2]], "node: the factor and the scalar must have one shape, not 2 and 1")]
        },
    };
}
