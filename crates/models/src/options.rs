//! What a user chooses about a network.

/// Options that every network understands; those that it has no use for change nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkOptions {
    /// Number of logits, at least 1.
    pub classes: usize,
    /// Probability of dropping a number in training, in `0.0..1.0`: of the features before the last layer, but where
    /// the network says otherwise.
    pub dropout: f32,
    /// First layers of a residual network.
    pub stem: Stem,
    /// Sizes of the hidden layers of `mlp`.
    pub hidden: Vec<usize>,
}

impl NetworkOptions {
    /// No dropout, the ImageNet stem, one hidden layer of 512.
    pub fn new(classes: usize) -> Self {
        Self { classes, dropout: 0.0, stem: Stem::Imagenet, hidden: vec![512] }
    }
}

/// First layers of a residual network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stem {
    /// 7 × 7 convolution of stride 2, then pooling: a quarter of the size.
    #[default]
    Imagenet,
    /// 3 × 3 convolution, no pooling: the full size, for pictures of up to about 64 pixels.
    Small,
}

/// How windows become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pool {
    /// The largest.
    #[default]
    Max,
    /// The mean.
    Average,
}
