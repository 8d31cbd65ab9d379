//! How a picture becomes a network's input: plain data that travels with the model.

use crate::ImageSize;

/// Which resampling the numbers were made with. A model that names another one is refused, not approximated.
pub const RESAMPLING: &str = "pillow-13";

/// Everything between a file and the network. Training's clean path, evaluation and prediction use the same value
/// and the same code.
///
/// In order: decode to RGB (JPEG as `jpeg` says, transparency over `background`), apply EXIF orientation, resize to `size` by
/// `resize` and `filter`, then per channel `(value / 255 - mean) / std`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// Height and width of the network's input.
    pub size: ImageSize,
    /// How JPEG is decoded; left out of what is stored where it is decoded exactly, as it always was.
    #[serde(default, skip_serializing_if = "JpegDecoding::is_exact")]
    pub jpeg: JpegDecoding,
    /// How another aspect ratio is met.
    pub resize: ResizeRule,
    /// For [`ResizeRule::Crop`]: the size that is covered before `size` is cut from the middle, no side smaller than its;
    /// `size` where nothing is said. ImageNet's networks are usually measured at 224 of 256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<ImageSize>,
    /// Interpolation, always antialiased when shrinking.
    pub filter: Filter,
    /// The resampling that `filter` names: [`RESAMPLING`].
    pub resampling: String,
    /// RGB shown through transparency and in the bars of [`ResizeRule::Pad`].
    pub background: [u8; 3],
    /// RGB, of values scaled to `0.0..=1.0`.
    pub mean: [f32; 3],
    /// RGB, of values scaled to `0.0..=1.0`; never zero.
    pub std: [f32; 3],
}

/// How a JPEG becomes pixels. The ways differ by a few grey levels, so a model keeps to the one it was trained with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JpegDecoding {
    /// At its full size, in Rust.
    #[default]
    Exact,
    /// By libjpeg-turbo at its full size: to the bit what Pillow gives. Of gray and colour JPEGs alone; others are decoded
    /// exactly, and so is what libjpeg-turbo finds fault with.
    Libjpeg,
    /// The same at 1/8, 1/4, 1/2 or all of its size: at the least of which no side is shorter than what it is resized to.
    /// Source: Pillow's `Image.draft`.
    Scaled,
}

impl JpegDecoding {
    /// Whether it is [`JpegDecoding::Exact`].
    pub fn is_exact(&self) -> bool {
        *self == Self::Exact
    }

    /// Its name in recipes and models.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Libjpeg => "libjpeg",
            Self::Scaled => "scaled",
        }
    }
}

/// How a picture of another aspect ratio is made to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeRule {
    /// Both sides are scaled on their own; shapes are distorted, nothing is lost.
    Squash,
    /// Scaled until it covers the size (or [`cover`](Preprocess::cover)), then cut at the centre.
    Crop,
    /// Scaled until it fits, then framed with the background.
    Pad,
}

/// Interpolation. Names and kernels are Pillow's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// Triangle of support 1.
    Bilinear,
    /// Keys' cubic with a = -0.5, support 2.
    Bicubic,
    /// Windowed sinc of support 3.
    Lanczos,
}

impl Preprocess {
    /// Squash to a size, bilinear, over white, with ImageNet's mean and standard deviation.
    pub fn new(size: ImageSize) -> Self {
        Self {
            size,
            jpeg: JpegDecoding::Exact,
            resize: ResizeRule::Squash,
            cover: None,
            filter: Filter::Bilinear,
            resampling: RESAMPLING.to_owned(),
            background: [255; 3],
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        }
    }
}
