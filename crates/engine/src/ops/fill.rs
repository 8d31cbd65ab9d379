//! The same number everywhere: where the gradient of a loss begins.

use crate::{Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// A tensor of one value.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    pub(crate) value: f32,
    pub(crate) shape: Shape,
}

impl Operator for Fill {
    fn kind(&self) -> &'static str {
        "fill"
    }

    fn operands(&self) -> &'static [&'static str] {
        &[]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(0..=0)?;
        Ok(vec![TensorType::f32(self.shape.clone())])
    }

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![vec![f64::from(self.value); self.shape.elements()]]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "fill",
        cases: || vec![case("numbers", Fill { value: 2.5, shape: [3, 2].into() }, [])],
        refusals: || vec![refusal(Fill { value: 1.0, shape: [1].into() }, [&[1]], "node: it got 1 inputs and takes 0")],
    };
}
