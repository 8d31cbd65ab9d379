//! Networks by name, their summaries, their weights in and out.
//!
//! A network is a file that writes itself into an engine's graph, with the parameter names that torchvision or timm uses, and
//! a row in [`NETWORKS`]; [`fuse`] joins what it makes of a picture with numbers that are known beside it. Knows nothing of
//! pictures, data sets or training.
//!
//! ```
//! use avizor_models::{NetworkOptions, Summary, find, image_input};
//! use avizor_engine::{GraphBuilder, Trainable};
//!
//! let network = find("resnet18")?;
//! let mut graph = GraphBuilder::new();
//! let pixels = image_input(&mut graph, 1, &network.preprocess())?;
//! let outputs = network.build(&mut graph, pixels, &NetworkOptions::new(1000))?;
//! graph.output("logits", outputs.logits);
//! let summary = Summary::new(&graph.finish()?, &outputs, &Trainable::All);
//! assert_eq!(summary.parameters(), 11_689_512);
//! # Ok::<(), avizor_models::ModelError>(())
//! ```

mod convnext;
mod custom;
mod efficientnet;
mod efficientnet_lite;
mod error;
mod fusion;
mod head;
mod input;
mod layers;
mod light_blocks;
mod mlp;
mod mobilenet_v2;
mod mobilenet_v3;
mod options;
mod outputs;
mod registry;
mod resnet;
mod small_cnn;
mod squeezenet;
mod stages;
mod summary;
mod vit;
mod weights;

pub use convnext::ConvNext;
pub use custom::{Custom, LAYERS, Layer, LayerOption, LayerRow, Layers, LayersError, Window};
pub use efficientnet::EfficientNet;
pub use efficientnet_lite::EfficientNetLite;
pub use error::{ModelError, WeightsError};
pub use fusion::{build_network, fuse};
pub use input::image_input;
pub use mlp::Mlp;
pub use mobilenet_v2::MobileNetV2;
pub use mobilenet_v3::MobileNetV3;
pub use options::{MetadataOptions, MetadataRole, NetworkOptions, Pool, Stem};
pub use outputs::{Outputs, PlainHead, Step};
pub use registry::{CUSTOM, NETWORKS, Network, find};
pub use resnet::{Block, ResNet};
pub use small_cnn::SmallCnn;
pub use squeezenet::SqueezeNet;
pub use stages::Stages;
pub use summary::{Summary, SummaryRow};
pub use vit::VisionTransformer;
pub use weights::{
    ACCURACIES, Accuracy, PUBLISHED, Package, Published, Source, accuracy, published, recognise, weights_folders,
};
pub use weights::{
    Converted, HeadInFile, LoadReport, ReplacedHead, Resampled, convert_weights, load_weights, read_weights,
    save_safetensors, to_safetensors,
};
