//! Batch normalisation, as trained, as used, and both gradients.

use std::sync::Arc;

use avizor_kernels::batch_norm::BatchNormShape;
use avizor_kernels::reference;

use super::Unary;
use crate::operator::{NodePurpose, Specialised, require};
use crate::{DType, GradientSite, GraphError, Mode, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// Batch normalisation over all axes but the last. Meaning of every option: `torch.nn.BatchNorm2d`.
///
/// Inputs: the activations `[..][channels]`, then weight, bias, running mean and running variance, each `[channels]`.
/// In training it updates the last two. Beside the result it gives the batch's mean, 1/σ and the offset that follows
/// scaling, which its gradient reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance.
    pub eps: f32,
    /// Share of the batch in the new running statistics.
    pub momentum: f32,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { eps: 1e-5, momentum: 0.1 }
    }
}

const OPERANDS: &[&str] = &["input", "weight", "bias", "running mean", "running variance"];

/// Rows and channels of activations, channels last.
pub(crate) fn kernel_shape(input: &Shape) -> BatchNormShape {
    let channels = input.last().copied().unwrap_or(1);
    BatchNormShape { rows: input.elements() / channels, channels }
}

fn check(inputs: Operands<'_>, eps: f32) -> Result<(Shape, usize), ShapeError> {
    require(eps > 0.0, "eps", eps, "above 0")?;
    let shape = inputs.of(0, DType::F32)?;
    (1..5).try_for_each(|operand| inputs.per_channel(operand))?;
    Ok((shape.clone(), kernel_shape(shape).channels))
}

impl Operator for BatchNorm {
    fn kind(&self) -> &'static str {
        "batch_norm"
    }

    fn operands(&self) -> &'static [&'static str] {
        OPERANDS
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(5..=5)?;
        self.types(inputs)
    }

    fn updates(&self) -> &'static [usize] {
        &[3, 4]
    }

    fn specialise(&self, purpose: &NodePurpose<'_>) -> Specialised {
        if purpose.mode == Mode::Infer || purpose.frozen_norm {
            Specialised::Other(Arc::new(BatchNormInfer { eps: self.eps }))
        } else {
            Specialised::Same
        }
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let saved = [1, 2, 3].map(|output| site.output(output));
        let inputs = [site.input(0), site.gradient(), site.input(1), saved[0], saved[1], saved[2]];
        let gradients = site.apply(BatchNormGrad { activation: None }, &inputs)?;
        gradients.into_iter().enumerate().for_each(|(input, gradient)| site.give(input, gradient));
        Ok(())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, gamma, beta, mean, var] = wide(inputs);
        let (eps, momentum) = (f64::from(self.eps), f64::from(self.momentum));
        let shape = kernel_shape(inputs[0].shape);
        let trained = reference::batch_norm_train(&shape, x, gamma, beta, eps, momentum, mean, var);
        vec![trained.y, trained.mean, trained.inv_std, trained.offset, trained.running_mean, trained.running_var]
    }
}

impl BatchNorm {
    /// The result, then what the gradient reads.
    pub(super) fn types(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        let (shape, channels) = check(inputs, self.eps)?;
        require((0.0..=1.0).contains(&self.momentum), "momentum", self.momentum, "from 0 to 1")?;
        let saved = TensorType::f32([channels]);
        Ok(vec![TensorType::f32(shape), saved.clone(), saved.clone(), saved])
    }
}

/// Batch normalisation with running statistics. Inputs as [`BatchNorm`]; nothing is updated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormInfer {
    pub(crate) eps: f32,
}

impl Operator for BatchNormInfer {
    fn kind(&self) -> &'static str {
        "batch_norm_infer"
    }

    fn operands(&self) -> &'static [&'static str] {
        OPERANDS
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(5..=5)?;
        Ok(vec![TensorType::f32(check(inputs, self.eps)?.0)])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let inputs = [site.input(0), site.gradient(), site.input(1), site.input(3), site.input(4)];
        let gradients = site.apply(BatchNormInferGrad { eps: self.eps }, &inputs)?;
        gradients.into_iter().enumerate().for_each(|(input, gradient)| site.give(input, gradient));
        Ok(())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, gamma, beta, mean, var] = wide(inputs);
        let shape = kernel_shape(inputs[0].shape);
        vec![reference::batch_norm_infer(&shape, x, gamma, beta, mean, var, f64::from(self.eps))]
    }
}

/// Gradients of input, weight and bias, from the input, the gradient of the output, the weight, and the batch's mean,
/// 1/σ and offset. The output is that of the activation where there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormGrad {
    pub(crate) activation: Option<Unary>,
}

/// Gradients of input, weight and bias where the statistics are constants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormInferGrad {
    pub(crate) eps: f32,
}

pub(super) fn wide<'v, const N: usize>(inputs: &[Wide<'v>]) -> [&'v [f64]; N] {
    std::array::from_fn(|operand| inputs[operand].values)
}

/// `(x - mean) · gamma / σ + offset`, from weight, mean, 1/σ and offset.
pub(super) fn normalized(x: Wide<'_>, [gamma, mean, inv_std, offset]: [&[f64]; 4]) -> Vec<f64> {
    let at = |(i, x): (usize, &f64)| {
        let c = i % gamma.len();
        (x - mean[c]) * inv_std[c] * gamma[c] + offset[c]
    };
    x.values.iter().enumerate().map(at).collect()
}

/// The gradient of a norm's result, from that of the activation that follows it.
pub(super) fn activated_gradient(activation: Option<Unary>, x: Wide<'_>, line: [&[f64]; 4], dy: &[f64]) -> Vec<f64> {
    activation.map_or(dy.to_vec(), |f| reference::unary_backward(f, &normalized(x, line), dy))
}

fn gradient_types(inputs: Operands<'_>, count: usize) -> Result<Vec<TensorType>, ShapeError> {
    inputs.count(count..=count)?;
    let shape = inputs.of(0, DType::F32)?;
    inputs.equal(0, 1)?;
    (2..count).try_for_each(|operand| inputs.per_channel(operand))?;
    let channels = kernel_shape(shape).channels;
    Ok(vec![TensorType::f32(shape.clone()), TensorType::f32([channels]), TensorType::f32([channels])])
}

impl Operator for BatchNormGrad {
    fn kind(&self) -> &'static str {
        "batch_norm_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gradient", "weight", "mean", "1/σ", "offset"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        gradient_types(inputs, 6)
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, dy, gamma, mean, inv_std, offset] = wide(inputs);
        let shape = kernel_shape(inputs[0].shape);
        let dy = activated_gradient(self.activation, inputs[0], [gamma, mean, inv_std, offset], dy);
        let gradients = reference::batch_norm_backward(&shape, x, &dy, gamma, mean, inv_std);
        vec![gradients.dx, gradients.dgamma, gradients.dbeta]
    }
}

impl Operator for BatchNormInferGrad {
    fn kind(&self) -> &'static str {
        "batch_norm_infer_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gradient", "weight", "running mean", "running variance"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        gradient_types(inputs, 5)
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, dy, gamma, mean, var] = wide(inputs);
        let (shape, eps) = (kernel_shape(inputs[0].shape), f64::from(self.eps));
        let gradients = reference::batch_norm_infer_backward(&shape, x, dy, gamma, mean, var, eps);
        vec![gradients.dx, gradients.dgamma, gradients.dbeta]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, Operand, case, refusal, statistic, trained};

    fn operands(x: Operand, c: usize) -> [Operand; 5] {
        [x, trained([c]).between(0.5, 1.5), trained([c]), statistic([c]).between(-0.5, 0.5), statistic([c])]
    }

    pub(in crate::ops) const FROZEN: Entry = Entry {
        name: "batch_norm_infer",
        cases: || {
            vec![
                case("maps", BatchNormInfer { eps: 1e-5 }, operands(trained([3, 4, 5, 7]), 7)),
                case("rows", BatchNormInfer { eps: 1e-3 }, operands(trained([17, 3]), 3)),
            ]
        },
        refusals: || {
            vec![refusal(
                BatchNormInfer { eps: 1e-5 },
                [&[2, 8], &[8], &[8], &[8], &[9]],
                "node: the input has 8 channels, the running variance expects 9 (input 2×8, running variance 9)",
            )]
        },
    };

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "batch_norm",
        cases: || {
            vec![
                case("maps", BatchNorm::default(), operands(trained([3, 4, 5, 7]), 7)),
                case("rows", BatchNorm { eps: 1e-3, momentum: 0.01 }, operands(trained([17, 3]).between(4.0, 6.0), 3)),
                case("one channel", BatchNorm::default(), operands(trained([2, 3, 3, 1]), 1)),
            ]
        },
        refusals: || {
            vec![
                refusal(
                    BatchNorm::default(),
                    [&[2, 4, 4, 8], &[8], &[4], &[8], &[8]],
                    "node: the input has 8 channels, the bias expects 4 (input 2×4×4×8, bias 4)",
                ),
                refusal(
                    BatchNorm { eps: 0.0, momentum: 0.1 },
                    [&[2, 8], &[8], &[8], &[8], &[8]],
                    "node: the eps must be above 0, not 0.0",
                ),
            ]
        },
    };
}
