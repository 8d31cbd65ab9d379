//! What a vision transformer makes of its patches before the first block, and its gradient.

use avizor_kernels::reference;
use avizor_kernels::tokens::TokensShape;

use super::batch_norm::wide;
use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// A class token before the patches of every sample, and a position added to each token. Source: Dosovitskiy et al. 2020,
/// arXiv:2010.11929.
///
/// Inputs: patches `[batch][height][width][channels]`, the class token `[1][1][channels]` and positions
/// `[1][1 + height · width][channels]`; the result is `[batch][1][1 + height · width][channels]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens;

/// The sizes that kernels want, from the shape of the tokens.
pub(crate) fn kernel_shape(tokens: &Shape) -> TokensShape {
    TokensShape { batch: tokens[0], patches: tokens[2] - 1, channels: tokens[3] }
}

impl Operator for Tokens {
    fn kind(&self) -> &'static str {
        "tokens"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "class token", "positions"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(3..=3)?;
        let [batch, height, width, channels] = inputs.axes(0, DType::F32)?;
        let tokens = 1 + height * width;
        inputs.axes::<3>(1, DType::F32)?;
        inputs.same_shape(1, "token of the input", &[1, 1, channels].into())?;
        inputs.axes::<3>(2, DType::F32)?;
        inputs.same_shape(2, "tokens of the input", &[1, tokens, channels].into())?;
        Ok(vec![TensorType::f32([batch, 1, tokens, channels])])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let (dy, input) = (site.gradient(), site.input_shape(0));
        let gradients = site.apply(TokensGrad { input }, &[dy])?;
        gradients.into_iter().enumerate().for_each(|(input, gradient)| site.give(input, gradient));
        Ok(())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [patches, class, positions] = wide(inputs);
        let &[batch, height, width, channels] = &**inputs[0].shape else { return Vec::new() };
        vec![reference::tokens(&TokensShape { batch, patches: height * width, channels }, patches, class, positions)]
    }
}

/// The gradients of patches, class token and positions, from that of the tokens.
#[derive(Clone, Debug)]
pub(crate) struct TokensGrad {
    /// Shape of the patches.
    pub(crate) input: Shape,
}

impl Operator for TokensGrad {
    fn kind(&self) -> &'static str {
        "tokens_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let [_, _, tokens, channels] = inputs.axes(0, DType::F32)?;
        let of_all = |tokens: usize| TensorType::f32([1, tokens, channels]);
        Ok(vec![TensorType::f32(self.input.clone()), of_all(1), of_all(tokens)])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        reference::tokens_backward(&kernel_shape(inputs[0].shape), inputs[0].values).into()
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, given, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "tokens",
        cases: || {
            vec![
                case("one patch", Tokens, [trained([1, 1, 1, 1]), trained([1, 1, 1]), trained([1, 2, 1])]),
                case("patches", Tokens, [trained([3, 2, 5, 7]), trained([1, 1, 7]), trained([1, 11, 7])]),
                case(
                    "of a fixed map",
                    Tokens,
                    [given(DType::F32, [2, 2, 2, 3]), trained([1, 1, 3]), trained([1, 5, 3])],
                ),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    Tokens,
                    [&[2, 4, 4, 8], &[1, 1, 8], &[1, 16, 8]],
                    "node: the positions and the tokens of the input must have one shape, not 1×16×8 and 1×17×8",
                ),
                refusal(
                    Tokens,
                    [&[2, 4, 4, 8], &[1, 1, 4], &[1, 17, 8]],
                    "node: the class token and the token of the input must have one shape, not 1×1×4 and 1×1×8",
                ),
            ]
        },
    };
}
