//! The first token of every sample, and its gradient.

use crate::operator::require;
use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// `[batch][1][tokens][channels]` to `[batch][channels]`: the first token, where a vision transformer gathers what it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstToken;

impl Operator for FirstToken {
    fn kind(&self) -> &'static str {
        "first_token"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let [batch, height, _, channels] = inputs.axes(0, DType::F32)?;
        require(height == 1, "number of rows", height, "1, as tokens have it")?;
        Ok(vec![TensorType::f32([batch, channels])])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dy, input) = (site.gradient(), site.input_shape(0));
        site.compute(0, FirstTokenGrad { input }, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let (tokens, channels) = sizes(inputs[0].shape);
        let samples = inputs[0].values.chunks_exact(tokens * channels);
        vec![samples.flat_map(|sample| &sample[..channels]).copied().collect()]
    }
}

/// Tokens of a sample, and channels.
pub(crate) fn sizes(input: &Shape) -> (usize, usize) {
    (input[2], input[3])
}

/// The gradient of all tokens, from that of the first ones.
#[derive(Clone, Debug)]
pub(crate) struct FirstTokenGrad {
    /// Shape of the tokens.
    pub(crate) input: Shape,
}

impl Operator for FirstTokenGrad {
    fn kind(&self) -> &'static str {
        "first_token_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        inputs.axes::<2>(0, DType::F32)?;
        Ok(vec![TensorType::f32(self.input.clone())])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let (tokens, channels) = sizes(&self.input);
        let rest = vec![0.0; (tokens - 1) * channels];
        let sample = |first: &[f64]| [first, &rest].concat();
        vec![inputs[0].values.chunks_exact(channels).flat_map(sample).collect()]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "first_token",
        cases: || {
            vec![
                case("tokens", FirstToken, [trained([3, 1, 5, 7])]),
                case("one token", FirstToken, [trained([2, 1, 1, 4])]),
            ]
        },
        refusals: || {
            vec![refusal(FirstToken, [&[2, 3, 3, 8]], "node: the number of rows must be 1, as tokens have it, not 3")]
        },
    };
}
