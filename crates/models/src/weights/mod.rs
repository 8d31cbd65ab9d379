//! Weights in and out, as `.safetensors` with torchvision's names and PyTorch's order of numbers.

mod floats;
mod read;
mod write;

pub use read::{LoadReport, ReplacedHead, load_safetensors, read_safetensors};
pub use write::{save_safetensors, to_safetensors};
