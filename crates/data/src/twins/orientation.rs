//! The eight ways to lay a picture: quarter turns, and those of its mirror image.

/// One of them: first across the diagonal, then from left to right, then upside down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Orientation {
    pub(super) transpose: bool,
    pub(super) mirror: bool,
    pub(super) upend: bool,
}

impl Orientation {
    /// As it is.
    pub const UPRIGHT: Self = Self { transpose: false, mirror: false, upend: false };

    /// All eight, the upright one first.
    pub(super) fn all() -> [Self; 8] {
        std::array::from_fn(|n| Self { transpose: n & 4 != 0, mirror: n & 1 != 0, upend: n & 2 != 0 })
    }

    /// Whether it is one of the mirror images.
    pub fn is_mirrored(self) -> bool {
        self.transpose ^ self.mirror ^ self.upend
    }

    /// A square picture, laid so.
    pub(super) fn lay<T: Copy + Default, const N: usize>(self, pixels: &[T; N], side: usize) -> [T; N] {
        let mut laid = [T::default(); N];
        for y in 0..side {
            for x in 0..side {
                let (mut v, mut u) =
                    (if self.upend { side - 1 - y } else { y }, if self.mirror { side - 1 - x } else { x });
                if self.transpose {
                    (v, u) = (u, v);
                }
                laid[y * side + x] = pixels[v * side + u];
            }
        }
        laid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_ways_differ_and_the_first_is_upright() {
        let pixels = [1, 2, 3, 4];
        let mut laid: Vec<[u8; 4]> = Orientation::all().iter().map(|way| way.lay(&pixels, 2)).collect();
        assert_eq!(laid[0], pixels);
        assert_eq!(laid[1], [2, 1, 4, 3]);
        assert_eq!(laid[4], [1, 3, 2, 4]);
        laid.sort_unstable();
        laid.dedup();
        assert_eq!(laid.len(), 8);
    }
}
