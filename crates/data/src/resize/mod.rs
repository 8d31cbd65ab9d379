//! Resizing, equal to Pillow 13 bit for bit.
//!
//! The recipe: antialiased separable filters, coefficients of 22 bits rounded half away from zero, sums clipped to
//! eight bits between the passes, the horizontal pass first, except where the height shrinks much more than the width
//! (see [`passes`]). Source: Pillow's `Resample.c`; the order of passes since Pillow 13 was found by probing.
//! The sums are the kernels' (`avizor_kernels::resample`), and the same at every level.

mod coefficients;
mod extent;
mod passes;
mod placement;

use avizor_base::{Filter, ImageSize, Preprocess};

use crate::Picture;
use crate::picture::byte_count;
pub(crate) use extent::Extent;
use passes::{Passes, Window};
use placement::Placement;
#[cfg(feature = "turbojpeg")]
pub(crate) use placement::shrinks_by;

/// Resizes pictures and keeps its buffers and coefficients between them.
#[derive(Debug, Default)]
pub struct Resizer {
    passes: Passes,
    /// What is put into a frame of background.
    framed: Vec<u8>,
}

impl Resizer {
    /// With nothing kept yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The picture at the size and by the rule of `preprocess`; its mean and standard deviation play no part here.
    pub fn resize(&mut self, picture: &Picture, preprocess: &Preprocess) -> Picture {
        let mut output = Picture::filled(preprocess.size, [0; 3]);
        self.resize_into(picture, preprocess, output.pixels_mut());
        output
    }

    /// The same into the caller's bytes.
    ///
    /// # Panics
    /// When `output` is not `3 · height · width` bytes long.
    pub fn resize_into(&mut self, picture: &Picture, preprocess: &Preprocess, output: &mut [u8]) {
        self.resize_shrunk_into(picture, Extent::of(picture), preprocess, output);
    }

    /// The same of a picture that was decoded smaller than it is stored, as if it had not been.
    ///
    /// # Panics
    /// As there.
    pub(crate) fn resize_shrunk_into(
        &mut self,
        picture: &Picture,
        extent: Extent,
        preprocess: &Preprocess,
        output: &mut [u8],
    ) {
        assert_eq!(output.len(), byte_count(preprocess.size), "the output has the preprocessing's size");
        match Placement::new(extent.whole, preprocess) {
            Placement::Cut(window) => self.passes.run(picture, extent.spans, window, preprocess.filter, output),
            Placement::Frame { scaled, top, left } => {
                let mut framed = std::mem::take(&mut self.framed);
                framed.resize(byte_count(scaled), 0);
                self.passes.run(picture, extent.spans, Window::whole(scaled), preprocess.filter, &mut framed);
                output.as_chunks_mut().0.fill(preprocess.background);
                let (inner, outer) = (3 * scaled.width() as usize, 3 * preprocess.size.width() as usize);
                let rows = output.chunks_exact_mut(outer).skip(top);
                for (target, row) in rows.zip(framed.chunks_exact(inner)) {
                    target[3 * left..][..inner].copy_from_slice(row);
                }
                self.framed = framed;
            }
        }
    }

    /// The picture at another size, both sides scaled on their own.
    pub fn resample(&mut self, picture: &Picture, size: ImageSize, filter: Filter) -> Picture {
        let mut output = Picture::filled(size, [0; 3]);
        self.resample_into(picture, size, filter, output.pixels_mut());
        output
    }

    /// The same into the caller's bytes.
    ///
    /// # Panics
    /// When `output` is not `3 · height · width` bytes long.
    pub fn resample_into(&mut self, picture: &Picture, size: ImageSize, filter: Filter, output: &mut [u8]) {
        assert_eq!(output.len(), byte_count(size), "the output has the size that is asked for");
        self.passes.run(picture, Extent::of(picture).spans, Window::whole(size), filter, output);
    }
}

/// The picture at the size and by the rule of `preprocess`, once. For many pictures keep a [`Resizer`].
pub fn resize(picture: &Picture, preprocess: &Preprocess) -> Picture {
    Resizer::new().resize(picture, preprocess)
}
