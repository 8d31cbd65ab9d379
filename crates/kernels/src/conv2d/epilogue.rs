//! What is done to a result on its way to memory.

/// A function applied to every number of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activation {
    /// The number itself.
    #[default]
    None,
    /// Zero for what is below zero; NaN stays NaN.
    Relu,
}

/// `y = activation(result + bias + residual)`, done while the result is in registers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'e> {
    /// One number for each output channel.
    pub bias: Option<&'e [f32]>,
    /// A tensor of the output's shape.
    pub residual: Option<&'e [f32]>,
    /// What comes last.
    pub activation: Activation,
}

impl Epilogue<'_> {
    /// Stores the result as it is.
    pub const NONE: Self = Epilogue { bias: None, residual: None, activation: Activation::None };

    /// # Panics
    /// When a slice does not fit an output of `len` numbers in rows of `channels`.
    pub(crate) fn check(&self, len: usize, channels: usize) {
        assert!(self.bias.is_none_or(|bias| bias.len() == channels), "a bias has one number for each channel");
        assert!(self.residual.is_none_or(|residual| residual.len() == len), "a residual has the output's shape");
    }
}
