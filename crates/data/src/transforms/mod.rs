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

mod affine;
#[cfg(test)]
mod agreement;
mod automatic;
mod color_jitter;
mod colour;
mod elastic;
mod flip;
mod gaussian_blur;
mod gaussian_noise;
mod grayscale;
mod jpeg;
mod keras_affine;
mod list;
mod look_up;
mod options;
mod perspective;
mod random_crop;
mod random_erasing;
mod rotation;
mod sets;
mod sharpness;
mod sometimes;
mod table;
mod tone;
mod warp;

use std::fmt;

use avizor_base::{ImageSize, Stream};

use crate::{Picture, Resizer};

pub use affine::{Affine, Shear};
pub use automatic::{RandAugment, TrivialAugmentWide};
pub use color_jitter::{ColorJitter, ColourChange, Jitter};
pub use elastic::{Displacement, Elastic};
pub use gaussian_blur::{Blur, GaussianBlur, KernelSize, Sigma};
pub use gaussian_noise::{GaussianNoise, Noise};
pub use jpeg::{Jpeg, Quality};
pub use keras_affine::{FillMode, KerasAffine, Zoom};
pub use list::Transforms;
pub use options::{Colour, PerSide, Spread};
pub use perspective::{Perspective, PerspectiveWarp};
pub use random_crop::{Part, RandomCrop, RandomResizedCrop};
pub use random_erasing::{Cover, Many, Patch, RandomErasing};
pub use rotation::Rotation;
pub use sets::{TRANSFORM_SETS, TransformSet};
pub use sharpness::AdjustSharpness;
pub use table::{OptionRow, TRANSFORMS, TransformError, TransformRow};
pub use tone::{Posterize, Solarize};
pub use warp::{Extension, Fill, Interpolation, Warp};

/// Options that several share.
const P_HALF: OptionRow = OptionRow { name: "p", default: "0.5", doc: "Probability." };
const P_ONE: OptionRow = OptionRow { name: "p", default: "1", doc: "Probability; torchvision has RandomApply for it." };
const INTERPOLATION: OptionRow =
    OptionRow { name: "interpolation", default: "\"nearest\"", doc: "\"nearest\" or \"bilinear\"." };
const BILINEAR: OptionRow =
    OptionRow { name: "interpolation", default: "\"bilinear\"", doc: "\"nearest\" or \"bilinear\"." };
const FILL: OptionRow = OptionRow {
    name: "fill",
    default: "0",
    doc: "What lies outside: a gray value, [r, g, b], \"nearest\" (the edge goes on) or \"reflect\".",
};

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
    /// Turned, shifted, scaled, sheared: all of it is one matrix.
    Warp(Warp),
    /// Seen from a side.
    Perspective(PerspectiveWarp),
    /// Every pixel displaced, its neighbours nearly as much.
    Elastic(Displacement),
    /// Without colour.
    Grayscale,
    /// The negative.
    Invert,
    /// So many upper bits of every sample are left.
    Posterize(u8),
    /// The negative of every sample from this one on.
    Solarize(f64),
    /// Each channel stretched over the whole range.
    Autocontrast,
    /// All values of each channel about equally frequent.
    Equalize,
    /// By this factor: 0 is smooth, 1 changes nothing.
    Sharpness(f64),
    /// What a JPEG file of this quality leaves.
    Jpeg(u8),
    /// Changes of colour, in this order.
    ColorJitter(Vec<ColourChange>),
    /// Blurred.
    GaussianBlur(Blur),
    /// Noise added.
    GaussianNoise(Noise),
    /// A rectangle covered.
    RandomErasing(Patch),
    /// A rectangle scaled to the whole.
    RandomResizedCrop(Part),
    /// One after the other.
    Several(Vec<Draw>),
}

impl Draw {
    /// Changes the picture, whose size is the one that was drawn for.
    pub fn apply(&self, picture: &mut Picture, scratch: &mut Scratch) {
        match self {
            Self::Nothing => {}
            Self::HorizontalFlip => flip::mirror(picture),
            Self::VerticalFlip => flip::upend(picture),
            Self::Warp(warp) => warp.apply(picture, scratch),
            Self::Perspective(warp) => warp.apply(picture, scratch),
            Self::Elastic(displacement) => displacement.apply(picture, scratch),
            Self::Grayscale => grayscale::apply(picture),
            Self::Invert => tone::invert(picture),
            Self::Posterize(bits) => tone::posterize(picture, *bits),
            Self::Solarize(threshold) => tone::solarize(picture, *threshold),
            Self::Autocontrast => tone::autocontrast(picture),
            Self::Equalize => tone::equalize(picture),
            Self::Sharpness(factor) => sharpness::apply(picture, *factor, scratch),
            Self::Jpeg(quality) => jpeg::apply(picture, *quality, scratch),
            Self::ColorJitter(changes) => changes.iter().for_each(|change| change.apply(picture)),
            Self::GaussianBlur(blur) => blur.apply(picture, scratch),
            Self::GaussianNoise(noise) => noise.apply(picture),
            Self::RandomErasing(patch) => patch.apply(picture),
            Self::RandomResizedCrop(part) => part.apply(picture, scratch),
            Self::Several(draws) => draws.iter().for_each(|draw| draw.apply(picture, scratch)),
        }
    }
}

/// Buffers kept between pictures. What is in them never matters.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The picture before, while the one after is written.
    before: Vec<u8>,
    /// Sums between two passes.
    floats: Vec<f32>,
    resizer: Resizer,
}
