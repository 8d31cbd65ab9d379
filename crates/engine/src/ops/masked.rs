//! What dropout and stochastic depth become in training.

use std::sync::Arc;

use avizor_base::{Purpose, Seed};
use avizor_kernels::dropout::dropout;
use avizor_kernels::stochastic_depth::stochastic_depth;
use avizor_kernels::{Cpu, Level};

use crate::name_hash::name_hash;
use crate::operator::{NodePurpose, Specialised, require};
use crate::{DType, GradientSite, GraphError, Mode, Operands, Operator, Shape, ShapeError, Storage, TensorType, Wide};

/// What is zero or stays as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Masking {
    /// Each number by itself.
    Numbers,
    /// All numbers of a sample.
    Samples,
}

impl Masking {
    /// How many of them a tensor has. A single number is a sample.
    pub(crate) fn count(self, shape: &Shape) -> usize {
        match self {
            Self::Numbers => shape.iter().product(),
            Self::Samples => shape.first().copied().unwrap_or(1),
        }
    }
}

/// Some numbers zero, the others divided by 1 - p. Its gradient is itself: the same mask on the gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masked {
    pub(crate) of: Masking,
    /// Probability of zeros, above 0 and below 1.
    pub(crate) p: f32,
    /// From the name of the forward node.
    pub(crate) stream: u64,
}

/// What the mask of a node in a step is made from.
pub(crate) fn mask_key(seed: Seed, step: u64, stream: u64) -> u64 {
    seed.stream(Purpose::Dropout, [step, stream, 0]).next_u64()
}

/// The shape rule of an operator that masks with probability `p` in training.
pub(super) fn masked_outputs(p: f32, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
    inputs.count(1..=1)?;
    require((0.0..1.0).contains(&p), "probability", p, "from 0 to below 1")?;
    Ok(vec![TensorType::f32(inputs.of(0, DType::F32)?.clone())])
}

/// What stands in its place.
pub(super) fn masked_in_training(of: Masking, p: f32, purpose: &NodePurpose<'_>) -> Specialised {
    if purpose.mode == Mode::Infer || p == 0.0 {
        Specialised::Vanishes
    } else {
        Specialised::Other(Arc::new(Masked { of, p, stream: name_hash(purpose.name) }))
    }
}

impl Operator for Masked {
    fn kind(&self) -> &'static str {
        match self.of {
            Masking::Numbers => "dropout_masked",
            Masking::Samples => "stochastic_depth_masked",
        }
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        masked_outputs(self.p, inputs)
    }

    fn storage(&self) -> Storage {
        match self.of {
            Masking::Numbers => Storage::Fresh,
            Masking::Samples => Storage::InPlace(&[0]),
        }
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let dy = site.gradient();
        site.compute(0, *self, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        // The mask is the kernel's; what is defined here is what is done with it.
        let Wide { shape, values } = inputs[0];
        let count = self.of.count(shape);
        let (cpu, key) = (Cpu::new(1, Level::Scalar), mask_key(Seed(0), 0, self.stream));
        let (ones, mut mask) = (vec![1.0; count], vec![0.0; count]);
        match self.of {
            Masking::Numbers => dropout(&cpu, key, self.p, &ones, &mut mask),
            Masking::Samples => stochastic_depth(&cpu, key, self.p, count, &ones, &mut mask),
        }
        let each = values.len() / count;
        vec![values.iter().enumerate().map(|(i, value)| value * f64::from(mask[i / each])).collect()]
    }
}
