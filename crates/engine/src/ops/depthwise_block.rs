//! A depthwise convolution with the 1×1 convolutions around it as one step; made by a pass, after differentiation.

use avizor_kernels::conv2d::DepthwiseBlockShape;

use super::Conv2dFused;
use crate::{Operands, Operator, ShapeError, TensorType, Wide};

/// Convolutions one after the other: a 1×1 one, a depthwise one and a 1×1 one, of which the first or the last may be
/// missing. All have a bias, only a third one may have a residual.
///
/// Inputs: the map, then weight and bias of every convolution, then the residual where there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DepthwiseBlock {
    pub(crate) before: Option<Conv2dFused>,
    pub(crate) depthwise: Conv2dFused,
    pub(crate) after: Option<Conv2dFused>,
}

impl DepthwiseBlock {
    fn layers(&self) -> impl Iterator<Item = Conv2dFused> {
        [self.before, Some(self.depthwise), self.after].into_iter().flatten()
    }

    pub(crate) fn has_residual(&self) -> bool {
        self.layers().any(|layer| layer.residual)
    }

    /// Where weight and bias of a convolution are among the inputs.
    pub(crate) fn place_of(&self, layer: usize) -> [usize; 2] {
        [1 + 2 * layer, 2 + 2 * layer]
    }

    /// The sizes that kernels want, from the input and the weight of every convolution.
    pub(crate) fn kernel_shape(&self, inputs: &[&TensorType]) -> DepthwiseBlockShape {
        let weight = |layer: usize| &inputs[self.place_of(layer)[0]].shape;
        let at = usize::from(self.before.is_some());
        let input = &inputs[0].shape;
        let channels = if self.before.is_some() { weight(0)[3] } else { input[3] };
        let map = [input[0], input[1], input[2], channels].into();
        DepthwiseBlockShape {
            depthwise: self.depthwise.conv.kernel_shape(&map, weight(at)),
            before: self.before.map(|_| inputs[0].shape[3]),
            after: self.after.map(|_| weight(at + 1)[3]),
        }
    }
}

impl Operator for DepthwiseBlock {
    fn kind(&self) -> &'static str {
        "depthwise_block"
    }

    fn operands(&self) -> &'static [&'static str] {
        &[
            "input",
            "first weight",
            "first bias",
            "second weight",
            "second bias",
            "third weight",
            "third bias",
            "residual",
        ]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        let layers = self.layers().count();
        let count = 1 + 2 * layers + usize::from(self.has_residual());
        inputs.count(count..=count)?;
        let mut map = inputs.type_of(0).clone();
        for (number, layer) in self.layers().enumerate() {
            let [weight, bias] = self.place_of(number);
            let mut types = vec![map, inputs.type_of(weight).clone(), inputs.type_of(bias).clone()];
            if layer.residual {
                types.push(inputs.type_of(count - 1).clone());
            }
            map = layer.outputs(Operands::new(layer.operands(), &types))?.remove(0);
        }
        Ok(vec![map])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let mut shape = inputs[0].shape.clone();
        let mut values = inputs[0].values.to_vec();
        for (number, layer) in self.layers().enumerate() {
            let [weight, bias] = self.place_of(number).map(|place| inputs[place]);
            let mut operands = vec![Wide { shape: &shape, values: &values }, weight, bias];
            operands.extend(inputs.last().filter(|_| layer.residual));
            let result = layer.reference(&operands).remove(0);
            let sizes = layer.conv.kernel_shape(&shape, weight.shape);
            shape = [sizes.batch, sizes.out_height(), sizes.out_width(), sizes.out_channels].into();
            values = result;
        }
        vec![values]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::DType;
    use crate::case::{Entry, Operand, case, given, refusal};
    use crate::ops::{Conv2d, Unary};

    fn layer(conv: Conv2d, activation: Option<Unary>) -> Conv2dFused {
        Conv2dFused { activation, ..Conv2dFused::plain(conv, true) }
    }

    fn pointwise(activation: Option<Unary>) -> Option<Conv2dFused> {
        Some(layer(Conv2d::default(), activation))
    }

    fn depthwise(groups: usize, stride: usize) -> Conv2dFused {
        layer(Conv2d { stride: [stride; 2], padding: [1, 1], trailing: [0, 0], groups }, Some(Unary::Relu6))
    }

    fn tensors<const N: usize>(shapes: [&[usize]; N]) -> [Operand; N] {
        shapes.map(|shape| given(DType::F32, shape.to_vec()))
    }

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "depthwise_block",
        cases: || {
            let all = DepthwiseBlock {
                before: pointwise(Some(Unary::Relu6)),
                depthwise: depthwise(18, 1),
                after: Some(Conv2dFused { residual: true, ..Conv2dFused::plain(Conv2d::default(), true) }),
            };
            vec![
                case(
                    "all of it",
                    all,
                    tensors([
                        &[2, 5, 6, 4],
                        &[1, 1, 4, 18],
                        &[18],
                        &[3, 3, 1, 18],
                        &[18],
                        &[1, 1, 18, 4],
                        &[4],
                        &[2, 5, 6, 4],
                    ]),
                ),
                case(
                    "no projection",
                    DepthwiseBlock { before: pointwise(Some(Unary::Silu)), depthwise: depthwise(9, 2), after: None },
                    tensors([&[1, 7, 4, 3], &[1, 1, 3, 9], &[9], &[3, 3, 1, 9], &[9]]),
                ),
                case(
                    "no expansion",
                    DepthwiseBlock { before: None, depthwise: depthwise(8, 1), after: pointwise(None) },
                    tensors([&[1, 7, 4, 8], &[3, 3, 1, 8], &[8], &[1, 1, 8, 5], &[5]]),
                ),
            ]
        },
        refusals: || {
            vec![refusal(
                DepthwiseBlock { before: pointwise(None), depthwise: depthwise(8, 1), after: None },
                [&[1, 4, 4, 2], &[1, 1, 2, 9], &[9], &[3, 3, 1, 8], &[8]],
                "node: the input has 9 channels, the weight expects 8 (input 1×4×4×9, weight 3×3×1×8)",
            )]
        },
    };
}
