//! The networks that a recipe can name.

use avizor_base::{ImageSize, Preprocess};
use avizor_engine::{GraphBuilder, Value};

use crate::{Mlp, ModelError, NetworkOptions, Outputs, ResNet, SmallCnn};

/// Every network, in the order of the manual.
pub const NETWORKS: &[Network] = &[
    Network {
        name: "resnet18",
        doc: "Residual network of 18 layers: the ordinary choice.",
        paper: "He et al. 2015, arXiv:1512.03385",
        size: 224,
        parameters: 11_689_512,
        write: |graph, image, options| ResNet::R18.build(graph, image, options),
    },
    Network {
        name: "small_cnn",
        doc: "Four convolutions and two dense layers for pictures of about 60 pixels; dropout before the dense ones.",
        paper: "none: the Simpsons study",
        size: 60,
        parameters: 711_208,
        write: |graph, image, options| SmallCnn::STUDY.build(graph, image, options),
    },
    Network {
        name: "mlp",
        doc: "Fully connected baseline that sees no neighbourhoods; hidden layers are an option, dropout after each.",
        paper: "Rumelhart et al. 1986, doi:10.1038/323533a0",
        size: 64,
        parameters: 6_804_968,
        write: |graph, image, options| Mlp::RELU.build(graph, image, options),
    },
];

/// A network by name.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// As recipes call it.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// Side in pixels of the square picture it was made for.
    pub size: u32,
    /// Trained numbers for 1000 classes at that size with default options.
    pub parameters: usize,
    write: fn(&mut GraphBuilder, Value, &NetworkOptions) -> Result<Outputs, ModelError>,
}

impl Network {
    /// Writes the network behind a normalised picture `[batch][height][width][3]` (see
    /// [`image_input`](crate::image_input)). Names no output: the caller does.
    ///
    /// # Errors
    /// When the picture is too small or a layer does not fit; the text names it.
    pub fn build(
        &self,
        graph: &mut GraphBuilder,
        image: Value,
        options: &NetworkOptions,
    ) -> Result<Outputs, ModelError> {
        (self.write)(graph, image, options)
    }

    /// Squashed to its own size, with ImageNet's mean and standard deviation.
    pub fn preprocess(&self) -> Preprocess {
        Preprocess::new(ImageSize::new(self.size, self.size).expect("the table's sizes are small and not zero"))
    }
}

/// The network of this name.
///
/// # Errors
/// When there is none; the text lists those that there are.
pub fn find(name: &str) -> Result<&'static Network, ModelError> {
    NETWORKS.iter().find(|network| network.name == name).ok_or_else(|| ModelError::UnknownNetwork {
        name: name.to_owned(),
        available: NETWORKS.iter().map(|network| network.name).collect::<Vec<_>>().join(", "),
    })
}
