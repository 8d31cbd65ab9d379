//! What a user chooses about a network.

use crate::{Layers, ModelError};

/// Options that every network understands; those that it has no use for change nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkOptions {
    /// Number of logits, at least 1.
    pub classes: usize,
    /// Probability of dropping a number in training, in `0.0..1.0`: of the features before the last layer, but where
    /// the network says otherwise. It holds for every network, those that were published with one of their own included:
    /// 0.2 for MobileNet, EfficientNet-B0 and B1, 0.3 for B2 and B3, 0.5 for SqueezeNet.
    pub dropout: f32,
    /// First layers. Networks without a stem refuse the small one.
    pub stem: Stem,
    /// Sizes of dense layers between the features and the last layer, each followed by ReLU and dropout, which then does not
    /// act on the features. `mlp` and `custom` refuse any: they have their own. Where metadata are joined, these layers read
    /// both.
    pub head: Vec<usize>,
    /// Sizes of the hidden layers of `mlp`.
    pub hidden: Vec<usize>,
    /// Layers of `custom`, which drops where they say and nowhere else.
    pub layers: Layers,
    /// What is known of a picture beside what it shows; `None`: nothing that the network should read.
    pub metadata: Option<MetadataOptions>,
}

impl NetworkOptions {
    /// No dropout, the ImageNet stem, no layer in the head but the last, one hidden layer of 512, no layers listed, no metadata.
    pub fn new(classes: usize) -> Self {
        let (head, hidden, layers) = (Vec::new(), vec![512], Layers::default());
        Self { classes, dropout: 0.0, stem: Stem::Imagenet, head, hidden, layers, metadata: None }
    }

    /// Whether the network sees the picture: one of metadata alone does not.
    pub fn sees_pictures(&self) -> bool {
        self.metadata.as_ref().is_none_or(|metadata| metadata.role == MetadataRole::Joined)
    }

    /// For networks whose layers are all listed elsewhere.
    pub(crate) fn no_head(&self, network: &'static str, option: &'static str) -> Result<(), ModelError> {
        if self.head.is_empty() { Ok(()) } else { Err(ModelError::OwnLayers { network, option }) }
    }

    /// Numbers that it reads beside a picture.
    pub fn metadata_width(&self) -> usize {
        self.metadata.as_ref().map_or(0, |metadata| metadata.width)
    }
}

/// Numbers beside the picture, and how they enter the network: [`fuse`](crate::fuse).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataOptions {
    /// Numbers a picture; at least 1.
    pub width: usize,
    /// Whether the picture is seen too.
    pub role: MetadataRole,
    /// Sizes of the layers that the numbers go through by themselves.
    pub hidden: Vec<usize>,
}

/// What a network reads beside metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetadataRole {
    /// The picture.
    Joined,
    /// Nothing: a network for pictures has no part in it.
    Alone,
}

/// First layers of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stem {
    /// As published. The first two of five halvings are early: in a ResNet by a 7 × 7 convolution of stride 2 and by
    /// pooling, in a MobileNet or EfficientNet by the first convolution and the second stage.
    #[default]
    Imagenet,
    /// Without these two halvings, for pictures of up to about 64 pixels: in a ResNet a 3 × 3 convolution and no pooling,
    /// in the others stride 1. Parameters are the same but for a ResNet's `conv1.weight`.
    Small,
}

impl Stem {
    /// For networks that have no halvings to leave out.
    pub(crate) fn only_imagenet(self, network: &'static str) -> Result<(), ModelError> {
        match self {
            Self::Imagenet => Ok(()),
            Self::Small => Err(ModelError::NoSmallStem { network }),
        }
    }
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
