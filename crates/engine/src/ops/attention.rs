//! Self-attention and its gradient.

use avizor_kernels::attention::AttentionShape;
use avizor_kernels::reference;

use crate::operator::require;
use crate::{DType, GradientSite, GraphError, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// Multi-head self-attention over the pixels of a map, `softmax(Q · Kᵀ / √d) · V` for every head. Source: Vaswani et al. 2017,
/// arXiv:1706.03762.
///
/// Input: queries, keys and values side by side, `[batch][height][width][3 · channels]`, each cut into heads of
/// `d = channels / heads` numbers; the result is `[batch][height][width][channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Parts of the channels that attend by themselves.
    pub heads: usize,
}

impl Attention {
    /// The sizes that kernels want, from the shape of the input.
    pub(crate) fn kernel_shape(self, input: &Shape) -> AttentionShape {
        let head_width = input[3] / (3 * self.heads);
        AttentionShape { batch: input[0], tokens: input[1] * input[2], heads: self.heads, head_width }
    }

    fn output(self, inputs: Operands<'_>) -> Result<Shape, ShapeError> {
        let [batch, height, width, channels] = inputs.axes(0, DType::F32)?;
        require(self.heads > 0, "number of heads", self.heads, "at least 1")?;
        let divides = channels.is_multiple_of(3 * self.heads);
        require(divides, "number of channels", channels, "a multiple of three times the heads")?;
        Ok([batch, height, width, channels / 3].into())
    }
}

impl Operator for Attention {
    fn kind(&self) -> &'static str {
        "attention"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        Ok(vec![TensorType::f32(self.output(inputs)?)])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let inputs = [site.input(0), site.gradient()];
        site.compute(0, AttentionGrad(*self), &inputs)
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![reference::attention(&self.kernel_shape(inputs[0].shape), inputs[0].values)]
    }
}

/// The gradient of queries, keys and values, from them and the gradient of the result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionGrad(pub(crate) Attention);

impl Operator for AttentionGrad {
    fn kind(&self) -> &'static str {
        "attention_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gradient"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(2..=2)?;
        let result = self.0.output(inputs)?;
        inputs.of(1, DType::F32)?;
        inputs.same_shape(1, "result", &result)?;
        Ok(vec![TensorType::f32(inputs.of(0, DType::F32)?.clone())])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let shape = self.0.kernel_shape(inputs[0].shape);
        vec![reference::attention_backward(&shape, inputs[0].values, inputs[1].values)]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "attention",
        cases: || {
            vec![
                case("one token", Attention { heads: 1 }, [trained([1, 1, 1, 3])]),
                case("tokens", Attention { heads: 3 }, [trained([2, 1, 17, 45]).between(-2.0, 2.0)]),
                case("pixels", Attention { heads: 2 }, [trained([1, 3, 5, 48]).between(-2.0, 2.0)]),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    Attention { heads: 4 },
                    [&[2, 1, 9, 30]],
                    "node: the number of channels must be a multiple of three times the heads, not 30",
                ),
                refusal(
                    Attention { heads: 0 },
                    [&[2, 1, 9, 30]],
                    "node: the number of heads must be at least 1, not 0",
                ),
                refusal(Attention { heads: 2 }, [&[9, 30]], "node: the input must have 4 axes, not the shape 9×30"),
            ]
        },
    };
}
