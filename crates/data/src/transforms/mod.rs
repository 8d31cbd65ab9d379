//! Augmentation: transforms of pictures, named and parameterised as torchvision's.
//!
//! A transform first *draws* its numbers from a stream into a [`Draw`], a plain value that can be logged, repeated
//! and shared by two pictures; the draw is then *applied*: a pure function of picture and draw. No transform changes a
//! picture's size.
//!
//! ```
//! use avizor_base::{ImageSize, Purpose, Seed};
//! use avizor_data::Picture;
//! use avizor_data::transforms::{Scratch, Transforms};
//!
//! let recipe = r#"[{ "op": "horizontal_flip", "p": 0.5 }, { "op": "rotation", "degrees": 20 }]"#;
//! let transforms: Transforms = serde_json::from_str(recipe)?;
//! let size = ImageSize::new(32, 32).expect("a size");
//! let mut picture = Picture::filled(size, [90, 120, 30]);
//! let mut stream = Seed(42).stream(Purpose::Augment, [0, 7, 0]); // epoch, sample, occurrence
//! for draw in transforms.draw(&mut stream, size) {
//!     draw.apply(&mut picture, &mut Scratch::default());
//! }
//! # Ok::<(), serde_json::Error>(())
//! ```

mod flip;
mod list;
mod options;
mod table;

use std::fmt;

use avizor_base::{ImageSize, Stream};

use crate::Picture;

pub use flip::{HorizontalFlip, VerticalFlip};
pub use list::Transforms;
pub use options::{Colour, Spread};
pub use table::{OptionRow, TRANSFORMS, TransformError, TransformRow};

/// A random change of a picture: its options. What is drawn from a stream by them is a [`Draw`].
pub trait Transform: fmt::Debug + Send + Sync {
    /// The reason where an option is out of its range.
    ///
    /// # Errors
    /// Names the option, its value and its range.
    fn check(&self) -> Result<(), String>;

    /// The numbers for one picture of a size.
    fn draw(&self, stream: &mut Stream, size: ImageSize) -> Draw;
}

/// What a transform drew for one picture.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Draw {
    /// The picture stays as it is.
    Nothing,
    /// Mirrored left to right.
    HorizontalFlip,
    /// Mirrored top to bottom.
    VerticalFlip,
}

impl Draw {
    /// Changes the picture, whose size is the one that was drawn for.
    pub fn apply(&self, picture: &mut Picture, _scratch: &mut Scratch) {
        match self {
            Self::Nothing => {}
            Self::HorizontalFlip => flip::mirror(picture),
            Self::VerticalFlip => flip::upend(picture),
        }
    }
}

/// Buffers kept between pictures. What is in them never matters.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The picture before, while the one after is written.
    #[allow(dead_code, reason = "the warp uses it")]
    before: Vec<u8>,
}
