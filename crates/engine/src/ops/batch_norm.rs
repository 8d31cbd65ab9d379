//! Batch normalisation, as trained, as used, and both gradients.

use std::sync::Arc;

use avizor_kernels::batch_norm::BatchNormShape;

use crate::operator::{NodePurpose, Specialised, require};
use crate::{DType, GradientSite, GraphError, Mode, Operands, Operator, Shape, ShapeError, TensorType, Wide};

/// Batch normalisation over all axes but the last. Meaning of every option: `torch.nn.BatchNorm2d`.
///
/// Inputs: the activations `[..][channels]`, then weight, bias, running mean and running variance, each `[channels]`.
/// In training it updates the last two. Beside the result it gives the batch's mean and 1/σ, which its gradient reads.
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
    inputs.count(5..=5)?;
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
        let (shape, channels) = check(inputs, self.eps)?;
        require((0.0..=1.0).contains(&self.momentum), "momentum", self.momentum, "from 0 to 1")?;
        Ok(vec![TensorType::f32(shape), TensorType::f32([channels]), TensorType::f32([channels])])
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
        let inputs = [site.input(0), site.gradient(), site.input(1), site.output(1), site.output(2)];
        let gradients = site.apply(BatchNormGrad, &inputs)?;
        gradients.into_iter().enumerate().for_each(|(input, gradient)| site.give(input, gradient));
        Ok(())
    }

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
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
        Ok(vec![TensorType::f32(check(inputs, self.eps)?.0)])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let inputs = [site.input(0), site.gradient(), site.input(1), site.input(3), site.input(4)];
        let gradients = site.apply(BatchNormInferGrad { eps: self.eps }, &inputs)?;
        gradients.into_iter().enumerate().for_each(|(input, gradient)| site.give(input, gradient));
        Ok(())
    }

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
    }
}

/// Gradients of input, weight and bias, from the input, the gradient of the output, the weight, and the batch's mean
/// and 1/σ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormGrad;

/// Gradients of input, weight and bias where the statistics are constants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormInferGrad {
    pub(crate) eps: f32,
}

fn gradient_types(inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
    inputs.count(5..=5)?;
    let shape = inputs.of(0, DType::F32)?;
    inputs.equal(0, 1)?;
    (2..5).try_for_each(|operand| inputs.per_channel(operand))?;
    let channels = kernel_shape(shape).channels;
    Ok(vec![TensorType::f32(shape.clone()), TensorType::f32([channels]), TensorType::f32([channels])])
}

impl Operator for BatchNormGrad {
    fn kind(&self) -> &'static str {
        "batch_norm_grad"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input", "gradient", "weight", "mean", "1/σ"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        gradient_types(inputs)
    }

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
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
        gradient_types(inputs)
    }

    fn reference(&self, _inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        unimplemented!()
    }
}
