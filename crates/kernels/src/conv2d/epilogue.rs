//! What is done to a result on its way to memory.

use crate::Cpu;
use crate::unary::{InPlace, Unary};

/// `y = activation(result + bias + residual)`, done while the result is in registers; activations other than ReLU while
/// it is in the cache.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'e> {
    /// One number for each output channel.
    pub bias: Option<&'e [f32]>,
    /// A tensor of the output's shape.
    pub residual: Option<&'e [f32]>,
    /// What comes last.
    pub activation: Option<Unary>,
}

impl Epilogue<'_> {
    /// Stores the result as it is.
    pub const NONE: Self = Epilogue { bias: None, residual: None, activation: None };

    /// Whether the result is bounded in registers.
    pub(crate) fn is_relu(&self) -> bool {
        self.activation == Some(Unary::Relu)
    }

    /// The activation that is left for when the results of a task are stored.
    pub(crate) fn late<'c>(&self, cpu: &'c Cpu) -> Option<InPlace<'c>> {
        self.activation.filter(|&f| f != Unary::Relu).map(|f| InPlace::new(cpu, f))
    }

    /// # Panics
    /// When a slice does not fit an output of `len` numbers in rows of `channels`.
    pub(crate) fn check(&self, len: usize, channels: usize) {
        assert!(self.bias.is_none_or(|bias| bias.len() == channels), "a bias has one number for each channel");
        assert!(self.residual.is_none_or(|residual| residual.len() == len), "a residual has the output's shape");
    }
}
