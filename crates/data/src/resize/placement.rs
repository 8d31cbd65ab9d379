//! Where a scaled picture lies in the size that is asked for.

use avizor_base::{ImageSize, ResizeRule};

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
    pub(super) fn new(from: ImageSize, to: ImageSize, rule: ResizeRule) -> Self {
        match rule {
            ResizeRule::Squash => Self::Cut(Window::whole(to)),
            ResizeRule::Crop => Self::crop(from, to),
            ResizeRule::Pad => Self::pad(from, to),
        }
    }

    /// torchvision's `Resize` of the shorter side, then `CenterCrop`, for a square; for another size the same with the
    /// side that must grow more. The other side is rounded down, the offset `(scaled - size) / 2` half to even.
    fn crop(from: ImageSize, to: ImageSize) -> Self {
        let (height, width) = (u64::from(from.height()), u64::from(from.width()));
        let (to_height, to_width) = (u64::from(to.height()), u64::from(to.width()));
        let scaled = if width * to_height <= height * to_width {
            (height * to_width / width, to_width)
        } else {
            (to_height, width * to_height / height)
        };
        let window = Window {
            scaled: [scaled.0, scaled.1],
            top: half_to_even(scaled.0 - to_height),
            left: half_to_even(scaled.1 - to_width),
            size: to,
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
            assert_eq!(Placement::new(from, to, ResizeRule::Crop), expected, "{from} to {to}");
        }
    }

    #[test]
    fn pad_never_loses_a_side() {
        let placed = Placement::new(size(1, 1000), size(7, 7), ResizeRule::Pad);
        assert_eq!(placed, Placement::Frame { scaled: size(1, 7), top: 3, left: 0 });
    }
}
