//! What every floor shares, and nothing more.
//!
//! Randomness ([`Seed`], [`Stream`]), names ([`ClassList`], [`SampleId`], [`Split`]), how a picture becomes a
//! network's input ([`Preprocess`]), what happens during a run ([`Event`]), what an audit found ([`Finding`]), words for
//! a value of the wrong type ([`mistyped()`]) or a wrong name ([`names_help`]), and files that are never half-written
//! ([`atomic_file`]). Knows nothing of pictures, networks, terminals or the command line.
//!
//! ```
//! use avizor_base::{Purpose, Seed};
//!
//! let mut stream = Seed(42).stream(Purpose::Augment, [3, 1_234, 0]); // epoch, sample, occurrence
//! let mut again = Seed(42).stream(Purpose::Augment, [3, 1_234, 0]);
//! assert_eq!(stream.next_u64(), again.next_u64());
//! ```

pub mod atomic_file;
mod beta;
mod cache_folder;
mod class_list;
mod event;
mod finding;
mod image_size;
mod mistyped;
mod nearest;
mod preprocess;
mod sample_id;
mod seed;
mod split;
mod verdict;

pub use cache_folder::cache_folder;
pub use class_list::{ClassId, ClassList, ClassListError};
pub use event::{Event, Listener, Note};
pub use finding::{Finding, Severity};
pub use image_size::ImageSize;
pub use mistyped::mistyped;
pub use nearest::{names_help, nearest};
pub use preprocess::{Filter, JpegDecoding, Preprocess, RESAMPLING, ResizeRule};
pub use sample_id::SampleId;
pub use seed::{Purpose, Seed, Stream};
pub use split::Split;
pub use verdict::{Trust, Verdict};
