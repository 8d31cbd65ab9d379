//! From a folder of pictures to batches: sources, index, split, decode, transforms, loader, audit

pub mod audit;
pub mod decode;
pub mod index;
pub mod loader;
mod nearest;
mod picture;
mod picture_file;
mod resize;
pub mod scan;
pub mod split;
#[cfg(test)]
mod tests_support;
pub mod transforms;

pub use audit::{AuditReport, Material, audit};
pub use decode::{DecodeError, DecodeOptions, Decoded, decode, probe};
pub use index::{DataOptions, Index, IndexError};
pub use loader::{LoadError, Loader, Prepared};
pub use picture::Picture;
pub use picture_file::{Unreadable, read_picture};
pub use resize::{Resizer, resize};
pub use scan::{Scan, scan};
pub use split::{Partition, SplitError, SplitOptions, split};
