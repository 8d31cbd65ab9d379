//! Stochastic depth.

use std::sync::Arc;

use avizor_base::Seed;
use avizor_kernels::stochastic_depth::stochastic_depth;
use avizor_kernels::{Cpu, Level};

use super::mask_key;
use crate::operator::{NodePurpose, Specialised, require};
use crate::{DType, GradientSite, GraphError, Mode, Operands, Operator, ShapeError, Storage, TensorType, Wide};

/// In training sets all numbers of a sample to zero with probability `p` and divides those of the others by 1 - p;
/// otherwise nothing. On the branch beside a shortcut: some samples pass the block by. The first axis counts samples.
///
/// Which ones depends on the run's seed, the step and the node's name (see [`State::set_step`](crate::State)).
/// `torchvision.ops.StochasticDepth` with mode "row". Source: Huang et al. 2016, arXiv:1603.09382.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StochasticDepth {
    /// Probability of zeros, in `0.0..1.0`.
    pub p: f32,
}

impl Operator for StochasticDepth {
    fn kind(&self) -> &'static str {
        "stochastic_depth"
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
            return Specialised::Vanishes;
        }
        let stream = crate::name_hash::name_hash(purpose.name);
        Specialised::Other(Arc::new(StochasticDepthMasked { p: self.p, stream }))
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![inputs[0].values.to_vec()]
    }
}

/// Stochastic depth that knows its stream. Its gradient is itself: the same samples of the gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StochasticDepthMasked {
    pub(crate) p: f32,
    /// From the name of the forward node.
    pub(crate) stream: u64,
}

impl Operator for StochasticDepthMasked {
    fn kind(&self) -> &'static str {
        "stochastic_depth_masked"
    }

    fn operands(&self) -> &'static [&'static str] {
        &["input"]
    }

    fn outputs(&self, inputs: Operands<'_>) -> Result<Vec<TensorType>, ShapeError> {
        inputs.count(1..=1)?;
        Ok(vec![TensorType::f32(inputs.of(0, DType::F32)?.clone())])
    }

    fn storage(&self) -> Storage {
        Storage::InPlace(&[0])
    }

    fn gradient(&self, site: &mut GradientSite<'_>) -> Result<(), GraphError> {
        let dy = site.gradient();
        site.compute(0, *self, &[dy])
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        // Which samples stay is the kernel's affair; what is defined here is what is done with them.
        let rows = inputs[0].shape[0];
        let mut factors = vec![0.0; rows];
        let key = mask_key(Seed(0), 0, self.stream);
        stochastic_depth(&Cpu::new(1, Level::Scalar), key, self.p, rows, &vec![1.0; rows], &mut factors);
        let row = inputs[0].values.len() / rows;
        vec![inputs[0].values.iter().enumerate().map(|(i, value)| value * f64::from(factors[i / row])).collect()]
    }
}

#[cfg(test)]
pub(super) mod entry {
    use super::*;
    use crate::case::{Entry, case, refusal, trained};

    pub(in crate::ops) const ENTRY: Entry = Entry {
        name: "stochastic_depth",
        cases: || {
            vec![
                case("maps", StochasticDepth { p: 0.5 }, [trained([9, 3, 5, 7])]),
                case("rows", StochasticDepth { p: 0.2 }, [trained([33, 4])]),
                case("none", StochasticDepth { p: 0.0 }, [trained([7, 33])]),
            ]
        },
        refusals: || {
            vec![refusal(
                StochasticDepth { p: 1.0 },
                [&[7, 2]],
                "node: the probability must be from 0 to below 1, not 1.0",
            )]
        },
    };
}
