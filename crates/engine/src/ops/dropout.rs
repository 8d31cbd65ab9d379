//! Dropout.

use super::masked::{Masking, masked_in_training, masked_outputs};
use crate::operator::{NodePurpose, Specialised};
use crate::{Operands, Operator, ShapeError, TensorType, Wide};

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
        masked_outputs(self.p, inputs)
    }

    fn specialise(&self, purpose: &NodePurpose<'_>) -> Specialised {
        masked_in_training(Masking::Numbers, self.p, purpose)
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
