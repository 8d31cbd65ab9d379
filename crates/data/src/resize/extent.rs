//! Where a picture lies in the pixels that there are of it.

use avizor_base::ImageSize;

use crate::Picture;

/// Where a picture lies in its pixels: in all of them, unless a decoder shrank it and its last ones are not full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Extent {
    /// Before it was shrunk.
    pub(super) whole: ImageSize,
    /// Of its rows and of its columns.
    pub(super) spans: [Span; 2],
}

/// Where one side of a picture begins and how long it is, in pixels: Pillow's `box`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) start: f64,
    pub(super) length: f64,
}

impl Extent {
    /// All pixels of a picture.
    pub(super) fn of(picture: &Picture) -> Self {
        Self::shrunk(picture.size(), 1, [false; 2])
    }

    /// Of a picture whose sides were divided by a number and rounded up. Where rows or columns were reversed afterwards, the
    /// pixel that is not full is the first.
    pub(crate) fn shrunk(whole: ImageSize, by: u32, reversed: [bool; 2]) -> Self {
        let span = |side: u32, reversed: bool| {
            let length = f64::from(side) / f64::from(by);
            Span { start: if reversed { length.ceil() - length } else { 0.0 }, length }
        };
        let [rows, columns] = reversed;
        Self { whole, spans: [span(whole.height(), rows), span(whole.width(), columns)] }
    }
}
