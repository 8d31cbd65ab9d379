//! From a folder of pictures to batches: sources, index, split, decode, transforms, loader, audit

pub mod decode;
pub mod index;
mod nearest;
mod picture;
mod resize;
pub mod transforms;

pub use decode::{DecodeError, DecodeOptions, Decoded, decode, probe};
pub use index::{DataOptions, Index, IndexError};
pub use picture::Picture;
pub use resize::{Resizer, resize};
