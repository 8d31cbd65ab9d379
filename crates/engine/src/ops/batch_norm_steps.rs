//! Batch normalisation in its steps, for convolutions that do some of them; made by the pass `fuse_normed`, after
//! differentiation.

use avizor_kernels::batch_norm::BatchNormShape;
use avizor_kernels::reference;

use super::batch_norm::{activated_gradient, kernel_shape, normalized, wide};
use super::{BatchNorm, Unary};
use crate::{DType, Operands, Operator, ShapeError, TensorType, Wide};

/// Mean, what it lost in rounding, variance, and what that lost: `[4][channels]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormMoments;

/// From the moments of so many rows, weight, bias, running mean and running variance to mean, 1/σ and offset, which
/// follow one another as outputs. Updates the last two inputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormStatistics {
    pub(crate) norm: BatchNorm,
    pub(crate) rows: usize,
}

/// `activation(norm(input) + residual)` from input, weight, mean, 1/σ, offset and, where there is one, the residual.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormApply {
    pub(crate) residual: bool,
    pub(crate) activation: Option<Unary>,
}

/// What sums over rows give on the way back: gradients of weight and bias, then slope and constant of the input's
/// gradient. Inputs as [`BatchNormGrad`](super::BatchNormGrad).
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormGradSums {
    pub(crate) activation: Option<Unary>,
}

/// The gradient of the input. Inputs as [`BatchNormGrad`](super::BatchNormGrad), then slope and constant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormInputGrad {
    pub(crate) activation: Option<Unary>,
}

/// Mean and variance by their definition, which lose nothing.
pub(super) fn moments(shape: &BatchNormShape, x: &[f64]) -> Vec<f64> {
    let zeros = vec![0.0; shape.channels];
    let trained = reference::batch_norm_train(shape, x, &zeros, &zeros, 1.0, 1.0, &zeros, &zeros);
    let variance = trained.inv_std.iter().map(|inv_std| inv_std.powi(-2) - 1.0);
    trained.mean.iter().chain(&zeros).copied().chain(variance).chain(zeros.iter().copied()).collect()
}

/// Gradients of weight and bias, slope and constant by their definition; `dy` has been through the activation. The mean
/// that is given was rounded: what it lacks is added to the constant.
pub(super) fn gradient_sums(shape: &BatchNormShape, [x, dy, gamma, mean, inv_std]: [&[f64]; 5]) -> [Vec<f64>; 4] {
    let exact = &moments(shape, x)[..shape.channels];
    let gradients = reference::batch_norm_backward(shape, x, dy, gamma, exact, inv_std);
    let factor = |c: usize| -gamma[c] * inv_std[c] / shape.rows as f64;
    let slope: Vec<f64> = (0..shape.channels).map(|c| factor(c) * inv_std[c] * gradients.dgamma[c]).collect();
    let constant = |c: usize| factor(c) * gradients.dbeta[c] - slope[c] * (exact[c] - mean[c]);
    let constant = (0..shape.channels).map(constant).collect();
    [gradients.dgamma, gradients.dbeta, slope, constant]
}

/// Types of what [`gradient_sums`] gives.
pub(super) fn sums_types(channels: usize) -> [TensorType; 4] {
    [(); 4].map(|()| TensorType::f32([channels]))
}

impl Operator for BatchNormMoments {
    fn kind(&self) -> &'static str {
        "batch_norm_moments"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        let channels = kernel_shape(inputs.of(0, DType::F32)?).channels;
        Ok(vec![TensorType::f32([4, channels])])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![moments(&kernel_shape(inputs[0].shape), inputs[0].values)]
    }
}

impl Operator for BatchNormStatistics {
    fn kind(&self) -> &'static str {
        "batch_norm_statistics"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["moments", "weight", "bias", "running mean", "running variance"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(5..=5)?;
        let [_, channels] = inputs.axes(0, DType::F32)?;
        (1..5).try_for_each(|operand| inputs.per_channel(operand))?;
        Ok([(); 3].map(|()| TensorType::f32([channels])).into())
    }

    fn updates(&self) -> &'static [usize] {
        &[3, 4]
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [moments, gamma, beta, running_mean, running_var] = wide(inputs);
        let (eps, momentum) = (f64::from(self.norm.eps), f64::from(self.norm.momentum));
        let (n, channels) = (self.rows as f64, beta.len());
        let [mean, lost, variance, more] = [0, 1, 2, 3].map(|i| &moments[i * channels..(i + 1) * channels]);
        let variance: Vec<f64> = variance.iter().zip(more).map(|(variance, more)| variance + more).collect();
        let per_channel = |each: &dyn Fn(usize) -> f64| (0..channels).map(each).collect::<Vec<f64>>();
        let inv_std = per_channel(&|c| 1.0 / (variance[c] + eps).sqrt());
        let moved = |running: f64, batch: f64| (1.0 - momentum) * running + momentum * batch;
        vec![
            mean.to_vec(),
            inv_std.clone(),
            per_channel(&|c| beta[c] - lost[c] * gamma[c] * inv_std[c]),
            per_channel(&|c| moved(running_mean[c], mean[c] + lost[c])),
            per_channel(&|c| moved(running_var[c], variance[c] * n / (n - 1.0).max(1.0))),
        ]
    }
}

impl Operator for BatchNormApply {
    fn kind(&self) -> &'static str {
        "batch_norm_apply"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "weight", "mean", "1/σ", "offset", "residual"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        let count = 5 + usize::from(self.residual);
        inputs.count(count..=count)?;
        let shape = inputs.of(0, DType::F32)?.clone();
        (1..5).try_for_each(|operand| inputs.per_channel(operand))?;
        if self.residual {
            inputs.of(5, DType::F32)?;
            inputs.equal(0, 5)?;
        }
        Ok(vec![TensorType::f32(shape)])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let mut y = normalized(inputs[0], [1, 2, 3, 4].map(|operand| inputs[operand].values));
        if self.residual {
            y.iter_mut().zip(inputs[5].values).for_each(|(y, residual)| *y += residual);
        }
        vec![self.activation.map_or(y.clone(), |f| reference::unary_forward(f, &y))]
    }
}

impl Operator for BatchNormGradSums {
    fn kind(&self) -> &'static str {
        "batch_norm_grad_sums"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gradient", "weight", "mean", "1/σ", "offset"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(6..=6)?;
        let channels = kernel_shape(inputs.of(0, DType::F32)?).channels;
        inputs.equal(0, 1)?;
        (2..6).try_for_each(|operand| inputs.per_channel(operand))?;
        Ok(sums_types(channels).into())
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [x, dy, gamma, mean, inv_std, offset] = wide(inputs);
        let dy = activated_gradient(self.activation, inputs[0], [gamma, mean, inv_std, offset], dy);
        gradient_sums(&kernel_shape(inputs[0].shape), [x, &dy, gamma, mean, inv_std]).into()
    }
}

impl Operator for BatchNormInputGrad {
    fn kind(&self) -> &'static str {
        "batch_norm_input_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gradient", "weight", "mean", "1/σ", "offset", "slope", "constant"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(8..=8)?;
        let shape = inputs.of(0, DType::F32)?.clone();
        inputs.equal(0, 1)?;
        (2..8).try_for_each(|operand| inputs.per_channel(operand))?;
        Ok(vec![TensorType::f32(shape)])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        let [_, dy, gamma, mean, inv_std, offset, slope, constant] = wide(inputs);
        let dy = activated_gradient(self.activation, inputs[0], [gamma, mean, inv_std, offset], dy);
        vec![input_gradient(inputs[0], &dy, [gamma, mean, inv_std, slope, constant])]
    }
}

/// `dy · gamma / σ + (x - mean) · slope + constant`; `dy` has been through the activation.
pub(super) fn input_gradient(
    x: Wide<'_>,
    dy: &[f64],
    [gamma, mean, inv_std, slope, constant]: [&[f64]; 5],
) -> Vec<f64> {
    let at = |(i, (x, dy)): (usize, (&f64, &f64))| {
        let c = i % gamma.len();
        dy * gamma[c] * inv_std[c] + (x - mean[c]) * slope[c] + constant[c]
    };
    x.values.iter().zip(dy).enumerate().map(at).collect()
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, Operand, case, given, refusal, statistic};

    fn map() -> Operand {
        given(DType::F32, [3, 4, 5, 7])
    }

    fn per_channel() -> Operand {
        given(DType::F32, [7])
    }

    pub(in crate::ops) const MOMENTS: Entry = Entry {
        name: "batch_norm_moments",
        cases: || vec![case("maps", BatchNormMoments, [map().between(4.0, 6.0)])],
        refusals: || {
            vec![refusal(BatchNormMoments, [&[2, 0, 8]], "node: the input must not be empty, as the shape 2×0×8 is")]
        },
    };

    pub(in crate::ops) const STATISTICS: Entry = Entry {
        name: "batch_norm_statistics",
        cases: || {
            let moments = given(DType::F32, [4, 7]).between(0.5, 1.5);
            let operator = BatchNormStatistics { norm: BatchNorm::default(), rows: 9 };
            vec![case("seven", operator, [moments, per_channel(), per_channel(), statistic([7]), statistic([7])])]
        },
        refusals: || {
            vec![refusal(
                BatchNormStatistics { norm: BatchNorm::default(), rows: 9 },
                [&[4, 8], &[8], &[4], &[8], &[8]],
                "node: the moments has 8 channels, the bias expects 4 (moments 4×8, bias 4)",
            )]
        },
    };

    pub(in crate::ops) const APPLY: Entry = Entry {
        name: "batch_norm_apply",
        cases: || {
            let apply = |residual, activation| BatchNormApply { residual, activation };
            let [a, b, c, d] = [(); 4].map(|()| per_channel());
            vec![
                case("silu", apply(false, Some(Unary::Silu)), [map(), a.clone(), b.clone(), c.clone(), d.clone()]),
                case("residual and relu", apply(true, Some(Unary::Relu)), [map(), a, b, c, d, map()]),
            ]
        },
        refusals: || {
            vec![refusal(
                BatchNormApply { residual: true, activation: None },
                [&[2, 3, 8], &[8], &[8], &[8], &[8], &[2, 4, 8]],
                "node: the input and the residual must have one shape, not 2×3×8 and 2×4×8",
            )]
        },
    };

    pub(in crate::ops) const GRAD_SUMS: Entry = Entry {
        name: "batch_norm_grad_sums",
        cases: || {
            let operator = BatchNormGradSums { activation: Some(Unary::Silu) };
            let [a, b, c, d] = [(); 4].map(|()| per_channel());
            vec![case("silu", operator, [map(), map(), a, b, c, d])]
        },
        refusals: || {
            vec![refusal(
                BatchNormGradSums { activation: None },
                [&[2, 8], &[3, 8], &[8], &[8], &[8], &[8]],
                "node: the input and the gradient must have one shape, not 2×8 and 3×8",
            )]
        },
    };

    pub(in crate::ops) const INPUT_GRAD: Entry = Entry {
        name: "batch_norm_input_grad",
        cases: || {
            let operator = BatchNormInputGrad { activation: Some(Unary::Silu) };
            let [a, b, c, d] = [(); 4].map(|()| per_channel());
            vec![case("silu", operator, [map(), map(), a, b, c, d, per_channel(), per_channel()])]
        },
        refusals: || {
            vec![refusal(
                BatchNormInputGrad { activation: None },
                [&[2, 8], &[2, 8], &[8], &[8], &[8], &[8], &[8], &[7]],
                "node: the input has 8 channels, the constant expects 7 (input 2×8, constant 7)",
            )]
        },
    };
}
