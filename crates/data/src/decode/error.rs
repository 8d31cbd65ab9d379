//! Why bytes do not become a picture.

use avizor_base::JpegDecoding;

use super::Format;

/// Why bytes do not become a picture. The text is written to follow the file's name: "photos/a.jpg is empty".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No bytes at all.
    #[error("is empty")]
    Empty,
    /// Recognised as something that is not a picture of pixels.
    #[error("is not a picture: it starts like {what}; {advice}")]
    NotAPicture {
        /// With its article: "an HTML page".
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Recognised as a picture of a format that is not read.
    #[error("is {what}, which is not read; {advice}")]
    Unsupported {
        /// With its article: "a HEIC picture".
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// No format is recognised by the first bytes.
    #[error("is not a picture that is known here (JPEG, PNG, GIF, WebP, BMP, TIFF): its first bytes are {start}")]
    Unknown {
        /// Up to eight bytes in hexadecimal.
        start: String,
    },
    /// The file is larger than [`Limits::max_bytes`](super::Limits).
    #[error("has {bytes} bytes, more than the limit of {limit}")]
    TooManyBytes {
        /// Of the file.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The header declares more pixels, or a longer side, than [`Limits`](super::Limits) allow. Nothing was allocated.
    #[error(
        "declares {width} × {height} pixels, more than the limits of {max_pixels} pixels and {max_side} a side; \
         raise the limit if that is meant"
    )]
    TooLarge {
        /// As the header says.
        height: u64,
        /// As the header says.
        width: u64,
        /// The limit of pixels.
        max_pixels: u64,
        /// The limit of a side.
        max_side: u32,
    },
    /// The header declares a side of zero.
    #[error("is a {format} picture without pixels: its header declares {width} × {height}")]
    NoPixels {
        /// The format.
        format: Format,
        /// As the header says.
        height: u64,
        /// As the header says.
        width: u64,
    },
    /// The data end before the picture does.
    #[error("is a {format} picture that is cut off before its end; fetch it again")]
    CutOff {
        /// The format.
        format: Format,
    },
    /// A kind of the format that is not read.
    #[error("is a {format} picture with {feature}, which is not read; convert it to PNG or to ordinary JPEG")]
    Feature {
        /// The format.
        format: Format,
        /// What is special: "12 bits a channel".
        feature: String,
    },
    /// Another way than [`JpegDecoding::Exact`] is asked for.
    #[error("cannot be decoded as `jpeg = \"{}\"` asks: this program was built without `--features turbojpeg`", .0.name())]
    WithoutTurbojpeg(JpegDecoding),
    /// The data contradict the format.
    #[error("is a damaged {format} picture: {reason}")]
    Damaged {
        /// The format.
        format: Format,
        /// The decoder's words.
        reason: String,
    },
}

impl DecodeError {
    /// A damaged picture with the decoder's words, on one line.
    pub(super) fn damaged(format: Format, reason: impl ToString) -> Self {
        let reason = reason.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Self::Damaged { format, reason: reason.trim_end_matches('.').to_owned() }
    }
}
