//! What a program is for.

use std::collections::BTreeSet;

use avizor_kernels::Precision;

use crate::Pass;

/// What operators that differ between training and inference do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Dropout drops; batch norm uses the batch's statistics and gathers running ones.
    Train,
    /// Dropout is nothing; batch norm uses running statistics.
    Infer,
}

/// Which parameters are trained. Statistics never are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trainable {
    /// All of them.
    #[default]
    All,
    /// Those with these names.
    Named(BTreeSet<String>),
}

impl Trainable {
    /// The parameters among `names` for which `is_trained` holds.
    pub fn where_name<'n>(names: impl IntoIterator<Item = &'n str>, is_trained: impl Fn(&str) -> bool) -> Self {
        Self::Named(names.into_iter().filter(|name| is_trained(name)).map(str::to_owned).collect())
    }

    /// Whether a parameter is trained.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
        }
    }
}

/// Which statistics a batch norm uses in training when its own scale and shift are frozen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FrozenNorm {
    /// The batch's, as PyTorch does unless the module is set to `eval`.
    #[default]
    Batch,
    /// Running ones, as Keras does: the frozen part is a fixed function, in which stochastic depth leaves no block out.
    Running,
}

/// What a graph is compiled for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileOptions {
    /// Train or infer.
    pub mode: Mode,
    /// Name of the output whose gradient is computed, if any.
    pub loss: Option<String>,
    /// Which parameters get gradients of the loss. Nothing is computed that none of them needs.
    pub trainable: Trainable,
    /// What frozen batch norms do in training.
    pub frozen_norm: FrozenNorm,
    /// What activations and their gradients are stored in between operators; weights, gradients of weights and sums are f32.
    pub precision: Precision,
    /// Passes that are left out: tests compare the results with and without.
    pub without: Vec<Pass>,
}

impl CompileOptions {
    /// Outputs alone, for pictures that are not trained on.
    pub fn infer() -> Self {
        Self {
            mode: Mode::Infer,
            loss: None,
            trainable: Trainable::All,
            frozen_norm: FrozenNorm::Batch,
            precision: Precision::F32,
            without: Vec::new(),
        }
    }

    /// Outputs, and the gradients of the output `loss` for the trainable parameters.
    pub fn train(loss: &str, trainable: Trainable) -> Self {
        Self { mode: Mode::Train, loss: Some(loss.to_owned()), trainable, ..Self::infer() }
    }
}
