//! Dropout.

use std::sync::Arc;

use avizor_base::{Purpose, Seed};
use avizor_kernels::dropout::dropout;
use avizor_kernels::{Cpu, Level};

use crate::operator::{NodePurpose, Specialised, require};
use crate::{DType, GradientSite, GraphError, Mode, Operands, Operator, ShapeError, TensorType, Wide};

/// In training sets each number to zero with probability `p` and divides the others by 1 - p; otherwise nothing.
///
/// Which numbers depends on the run's seed, the step and the node's name (see [`State::set_step`](crate::State)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Probability of a zero, in `0.0..1.0`.
    pub p: f32,
}

impl Operator for Dropout {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        require((0.0..1.0).contains(&self.p), "probability", self.p, "from 0 to below 1")?;
        Ok(vec![TensorType::f32(inputs.of(0, DType::F32)?.clone())])
    }

    fn specialise(&self, purpose: &NodePurpose<'_>) -> Specialised {
        if purpose.mode == Mode::Infer || self.p == 0.0 {
            Specialised::Vanishes
        } else {
            Specialised::Other(Arc::new(DropoutMasked { p: self.p, stream: crate::name_hash::name_hash(purpose.name) }))
        }
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![inputs[0].values.to_vec()]
    }
}

/// What the mask of a node in a step is made from.
pub(crate) fn mask_key(seed: Seed, step: u64, stream: u64) -> u64 {
    seed.stream(Purpose::Dropout, [step, stream, 0]).next_u64()
}

/// Dropout that knows its stream. Its gradient is itself: the same mask on the gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DropoutMasked {
    pub(crate) p: f32,
    /// From the name of the forward node.
    pub(crate) stream: u64,
}

impl Operator for DropoutMasked {
    fn kind(&self) -> &'static str {
        "dropout_masked"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        Ok(vec![TensorType::f32(inputs.of(0, DType::F32)?.clone())])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let dy = site.gradient();
        site.compute(0, *self, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        // The mask is the kernel's; what is defined here is what is done with it.
        let n = inputs[0].values.len();
        let mut mask = vec![0.0; n];
        let key = mask_key(Seed(0), 0, self.stream);
        dropout(&Cpu::new(1, Level::Scalar), key, self.p, &vec![1.0; n], &mut mask);
        vec![inputs[0].values.iter().zip(&mask).map(|(value, &mask)| value * f64::from(mask)).collect()]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "dropout",
        cases: || {
            vec![
                case("some", Dropout { p: 0.3 }, [trained([7, 33])]),
                case("none", Dropout { p: 0.0 }, [trained([7, 33])]),
            ]
        },
        refusals: || {
            vec![refusal(Dropout { p: 1.0 }, [&[7]], "node: the probability must be from 0 to below 1, not 1.0")]
        },
    };
}
