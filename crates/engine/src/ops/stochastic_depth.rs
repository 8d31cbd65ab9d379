//! Stochastic depth.

use super::masked::{Masking, masked_in_training, masked_outputs};
use crate::operator::{NodePurpose, Specialised};
use crate::{Operands, Operator, ShapeError, TensorType, Wide};

/// In training sets all numbers of a sample to zero with probability `p` and divides those of the others by 1 - p;
/// otherwise nothing. On the branch beside a shortcut: some samples pass the block by. The first axis counts samples. In
/// a part that is frozen to a fixed function ([`FrozenNorm::Running`](crate::FrozenNorm::Running)) no block is left out.
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
        masked_outputs(self.p, inputs)
    }

    fn specialise(&self, purpose: &NodePurpose<'_>) -> Specialised {
        if purpose.is_fixed { Specialised::Vanishes } else { masked_in_training(Masking::Samples, self.p, purpose) }
    }

    fn reference(&self, inputs: &[Wide<'_>]) -> Vec<Vec<f64>> {
        vec![inputs[0].values.to_vec()]
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
                case("a single number", StochasticDepth { p: 0.5 }, [trained([])]),
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
