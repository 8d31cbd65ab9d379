//! Weights in and out: with torchvision's and timm's names and PyTorch's order of numbers.
//!
//! Written as `.safetensors`; read from those, from PyTorch's own files, which are programs and are not run, and from
//! TensorFlow.js's ResNet-50.

mod accuracy;
mod content;
mod convert;
mod file;
mod floats;
mod keras_resnet;
mod names;
mod pickle;
mod positions;
mod published;
mod pytorch;
mod read;
mod tensorflow_js;
mod write;

#[cfg(test)]
mod malformed;
#[cfg(test)]
mod tests;

pub use accuracy::{ACCURACIES, Accuracy, accuracy};
pub use convert::{Converted, convert_weights};
pub use positions::Resampled;
pub use published::{PUBLISHED, Package, Published, Source, published, recognise, weights_folders};
pub use read::{HeadInFile, LoadReport, ReplacedHead, load_weights, read_weights};
pub use write::{save_safetensors, to_safetensors};
