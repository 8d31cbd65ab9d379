//! What is done to a result on its way to memory.

use crate::unary::{InPlace, Unary};
use crate::{Cpu, Precision};

/// `y = activation(result + bias + residual)`, done while the result is in registers; activations other than ReLU and
/// ReLU6 while it is in the cache.
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

    /// Where the result is bounded in registers, the upper bound: the lower one is zero.
    pub(crate) fn ceiling(&self) -> Option<f32> {
        match self.activation? {
            Unary::Relu => Some(f32::INFINITY),
            Unary::Relu6 => Some(6.0),
            _ => None,
        }
    }

    /// The activation that is left for when the results of a task are stored.
    pub(crate) fn late<'c>(&self, cpu: &'c Cpu) -> Option<InPlace<'c>> {
        let late = self.activation.filter(|_| self.ceiling().is_none());
        late.map(|f| InPlace::new(cpu, f))
    }

    /// Whether it can be done on the way to a map of a type: what is stored in 16 bits is rounded once, with all that is
    /// done to it.
    pub fn suits(&self, precision: Precision) -> bool {
        let is_late = self.activation.is_some() && self.ceiling().is_none();
        precision == Precision::F32 || (self.residual.is_none() && !is_late)
    }

    /// # Panics
    /// When a slice does not fit an output of `len` numbers in rows of `channels`, or the output is of another type than
    /// it [suits](Self::suits).
    pub(crate) fn check(&self, len: usize, channels: usize, precision: Precision) {
        assert!(self.suits(precision), "residuals and late activations go with f32");
        assert!(self.bias.is_none_or(|bias| bias.len() == channels), "a bias has one number for each channel");
        assert!(self.residual.is_none_or(|residual| residual.len() == len), "a residual has the output's shape");
    }
}
