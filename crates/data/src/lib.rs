//! From a folder of pictures to batches: sources, index, decoding, audit, split, transforms, loader.
//!
//! The road goes one way: [`Index::read`] lists samples and labels without opening a file; [`scan()`] reads every file
//! once (hash, facts, what is broken) and may fill the [`Prepared`] cache; [`split()`] gives each sample its part;
//! [`audit()`] says what is wrong; [`metadata`] turns columns of a table into numbers; a [`Loader`] makes batches ahead on threads. Knows nothing of networks, terminals or
//! run folders.
//!
//! ```
//! use std::sync::Arc;
//!
//! use avizor_base::{ImageSize, Preprocess, Seed, Split};
//! use avizor_data::loader::{LoaderOptions, plain_order, shuffled_order};
//! use avizor_data::{DataOptions, Index, Loader, Prepared, SplitOptions, scan, split};
//!
//! # let folder = tempfile::tempdir()?;
//! # for n in 0..12u32 {
//! #     let class = folder.path().join(["cat", "dog"][n as usize % 2]);
//! #     std::fs::create_dir_all(&class)?;
//! #     image::RgbImage::from_pixel(9, 9, image::Rgb([n as u8; 3])).save(class.join(format!("{n}.png")))?;
//! # }
//! # let photos = folder.path();
//! let index = Arc::new(Index::read(&DataOptions::new(photos))?);
//! let preprocess = Preprocess::new(ImageSize::new(8, 8).expect("a size"));
//! let prepared = Prepared::new(Arc::clone(&index), preprocess, Default::default(), Prepared::DEFAULT_BUDGET);
//! let scan = scan(&index, &prepared.decode_options(), 2, Some(&prepared), |_done| {});
//! let partition = split(&index, Some(&scan), &SplitOptions::default())?;
//! let visits = shuffled_order(Seed(42), 0, plain_order(&partition.rows(Split::Train)));
//! let options = LoaderOptions { batch: 4, epoch: 0, seed: Seed(42), threads: 2, first_batch: 0 };
//! let mut loader = Loader::new(Arc::new(prepared), visits, None, options)?;
//! while let Some(batch) = loader.next_batch()? {
//!     assert_eq!(batch.images.len(), batch.len() * 8 * 8 * 3);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod archive;
pub mod audit;
pub mod cache;
pub mod decode;
pub mod index;
mod joined;
pub mod loader;
pub mod metadata;
pub mod parquet;
mod picture;
mod picture_file;
mod prepare;
mod resize;
pub mod scan;
pub mod split;
#[cfg(test)]
mod tests_support;
pub mod transforms;
pub mod twins;

pub use audit::{Material, audit};
pub use cache::PictureCache;
pub use decode::{DecodeError, DecodeOptions, Decoded, decode, probe};
pub use index::{DataOptions, Index, IndexError};
pub use loader::{LoadError, Loader, Prepared};
pub use picture::Picture;
pub use picture_file::{Found, Place, Unreadable, read_picture, read_place};
pub use prepare::read_prepared;
pub use resize::{Resizer, resize};
pub use scan::{Scan, scan};
pub use split::{Fold, Partition, SplitError, SplitOptions, split};
