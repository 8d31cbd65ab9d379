//! Where a scaled picture lies in the size that is asked for.

use avizor_base::{ImageSize, Preprocess, ResizeRule};

use super::passes::Window;

/// Where a scaled picture lies in the size that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// The window of the scaled picture is the output.
    Cut(Window),
    /// The scaled picture lies in the output, the rest is background.
    Frame { scaled: ImageSize, top: usize, left: usize },
}

impl Placement {
    pub(super) fn new(from: ImageSize, preprocess: &Preprocess) -> Self {
        let to = preprocess.size;
        match preprocess.resize {
            ResizeRule::Squash => Self::Cut(Window::whole(to)),
            ResizeRule::Crop => Self::crop(from, preprocess.cover.unwrap_or(to), to),
            ResizeRule::Pad => Self::pad(from, to),
        }
    }

    /// torchvision's `Resize` of the shorter side, then `CenterCrop`, for a square; for another size the same with the
    /// side that must grow more. The other side is rounded down, the offset `(scaled - size) / 2` half to even.
    fn crop(from: ImageSize, cover: ImageSize, size: ImageSize) -> Self {
        let (height, width) = (u64::from(from.height()), u64::from(from.width()));
        let (cut_height, cut_width) = (u64::from(size.height()), u64::from(size.width()));
        let (to_height, to_width) =
            (u64::from(cover.height()).max(cut_height), u64::from(cover.width()).max(cut_width));
        let scaled = if width * to_height <= height * to_width {
            (height * to_width / width, to_width)
        } else {
            (to_height, width * to_height / height)
        };
        let window = Window {
            scaled: [scaled.0, scaled.1],
            top: half_to_even(scaled.0 - cut_height),
            left: half_to_even(scaled.1 - cut_width),
            size,
        };
        Self::Cut(window)
    }

    /// Pillow's `ImageOps.pad`: the other side and the offset are rounded half to even; a side is at least a pixel.
    fn pad(from: ImageSize, to: ImageSize) -> Self {
        let (height, width) = (u64::from(from.height()), u64::from(from.width()));
        let (to_height, to_width) = (u64::from(to.height()), u64::from(to.width()));
        let (scaled_height, scaled_width) = if width * to_height >= height * to_width {
            (rounded(height, width, to_width), to.width())
        } else {
            (to.height(), rounded(width, height, to_height))
        };
        // Both sides are at least one and at most the asked ones.
        let scaled = ImageSize::new(scaled_height.min(to.height()), scaled_width.min(to.width())).unwrap_or(to);
        let top = half_to_even(to_height - u64::from(scaled.height()));
        let left = half_to_even(to_width - u64::from(scaled.width()));
        Self::Frame { scaled, top, left }
    }
}

/// By how much a picture of this size may be shrunk as it is decoded: by the most of 8, 4, 2 and 1 that leaves no side shorter
/// than what it is resized to. Source: Pillow's `JpegImageFile.draft`.
#[cfg(feature = "turbojpeg")]
pub(crate) fn shrinks_by(from: ImageSize, preprocess: &Preprocess) -> u32 {
    let [height, width] = match Placement::new(from, preprocess) {
        Placement::Cut(window) => window.scaled,
        Placement::Frame { scaled, .. } => [scaled.height().into(), scaled.width().into()],
    };
    let suffices = |by: u32| {
        let by = u64::from(by);
        u64::from(from.height()) >= by * height && u64::from(from.width()) >= by * width
    };
    [8, 4, 2].into_iter().find(|by| suffices(*by)).unwrap_or(1)
}

/// Python's `round(side / other * target)`, at least one.
fn rounded(side: u64, other: u64, target: u64) -> u32 {
    ((side as f64 / other as f64 * target as f64).round_ties_even() as u32).max(1)
}

/// Python's `round(value / 2)`.
fn half_to_even(value: u64) -> usize {
    (value as f64 / 2.0).round_ties_even() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(height: u32, width: u32) -> ImageSize {
        ImageSize::new(height, width).unwrap()
    }

    #[test]
    fn crop_places_as_torchvision_does() {
        // From Resize(224) and CenterCrop(224): (scaled height, width), top, left.
        let cases = [
            (size(375, 500), size(224, 224), [224, 298], 0, 37),
            (size(500, 375), size(224, 224), [298, 224], 37, 0),
            (size(3, 2), size(5, 5), [7, 5], 1, 0),
            // Offsets of a half round to the even neighbour.
            (size(8, 5), size(5, 5), [8, 5], 2, 0),
            (size(10, 5), size(5, 5), [10, 5], 2, 0),
            (size(12, 5), size(5, 5), [12, 5], 4, 0),
            (size(100, 100), size(60, 80), [80, 80], 10, 0),
            (size(1, 1000), size(7, 7), [7, 7000], 0, 3496),
        ];
        for (from, to, scaled, top, left) in cases {
            let expected = Placement::Cut(Window { scaled, top, left, size: to });
            assert_eq!(placed(from, to, ResizeRule::Crop), expected, "{from} to {to}");
        }
        // From Resize(256) and CenterCrop(224).
        let cover = Some(size(256, 256));
        for (from, scaled, top, left) in [
            (size(375, 500), [256, 341], 16, 58),
            (size(500, 333), [384, 256], 80, 16),
            (size(9, 9), [256, 256], 16, 16),
        ] {
            let preprocess = Preprocess { resize: ResizeRule::Crop, cover, ..Preprocess::new(size(224, 224)) };
            let expected = Placement::Cut(Window { scaled, top, left, size: size(224, 224) });
            assert_eq!(Placement::new(from, &preprocess), expected, "{from}");
        }
        // What covers less than is cut is as good as nothing.
        let preprocess =
            Preprocess { resize: ResizeRule::Crop, cover: Some(size(3, 90)), ..Preprocess::new(size(60, 80)) };
        let expected = Placement::Cut(Window { scaled: [90, 90], top: 15, left: 5, size: size(60, 80) });
        assert_eq!(Placement::new(size(100, 100), &preprocess), expected);
    }

    fn placed(from: ImageSize, to: ImageSize, resize: ResizeRule) -> Placement {
        Placement::new(from, &Preprocess { resize, ..Preprocess::new(to) })
    }

    #[cfg(feature = "turbojpeg")]
    #[test]
    fn a_picture_is_shrunk_as_far_as_no_side_gets_too_short() {
        let cases = [
            (size(375, 500), size(160, 160), ResizeRule::Squash, 2),
            // To the pixel, and one less.
            (size(1280, 1280), size(160, 160), ResizeRule::Squash, 8),
            (size(1280, 1279), size(160, 160), ResizeRule::Squash, 4),
            (size(1279, 639), size(160, 160), ResizeRule::Squash, 2),
            (size(319, 5000), size(160, 160), ResizeRule::Squash, 1),
            (size(90, 90), size(160, 160), ResizeRule::Squash, 1),
            (size(65_535, 65_535), size(1, 1), ResizeRule::Squash, 8),
            // The longer side is scaled to more than the size, or the shorter to less.
            (size(320, 5000), size(160, 160), ResizeRule::Crop, 2),
            (size(320, 5000), size(160, 160), ResizeRule::Pad, 8),
            (size(1280, 640), size(80, 160), ResizeRule::Crop, 4),
            (size(1, 1000), size(7, 7), ResizeRule::Pad, 1),
        ];
        for (from, to, resize, by) in cases {
            let preprocess = Preprocess { resize, ..Preprocess::new(to) };
            assert_eq!(shrinks_by(from, &preprocess), by, "{from} to {to}, {resize:?}");
        }
        let covering =
            Preprocess { resize: ResizeRule::Crop, cover: Some(size(256, 256)), ..Preprocess::new(size(224, 224)) };
        assert_eq!((shrinks_by(size(500, 500), &covering), shrinks_by(size(512, 700), &covering)), (1, 2));
    }

    #[test]
    fn pad_never_loses_a_side() {
        let placed = placed(size(1, 1000), size(7, 7), ResizeRule::Pad);
        assert_eq!(placed, Placement::Frame { scaled: size(1, 7), top: 3, left: 0 });
    }
}
