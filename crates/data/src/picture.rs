//! A decoded picture: RGB, eight bits a channel, rows from the top.

use avizor_base::ImageSize;

/// A picture in memory: RGB8, row-major, without padding. It always holds `3 · height · width` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    size: ImageSize,
    pixels: Vec<u8>,
}

impl Picture {
    /// `None` where `pixels` are not exactly `3 · height · width` bytes.
    pub fn new(size: ImageSize, pixels: Vec<u8>) -> Option<Self> {
        (pixels.len() == byte_count(size)).then_some(Self { size, pixels })
    }

    /// A picture of one colour.
    pub fn filled(size: ImageSize, colour: [u8; 3]) -> Self {
        let mut pixels = vec![0; byte_count(size)];
        if colour != [0; 3] {
            pixels.as_chunks_mut().0.fill(colour);
        }
        Self { size, pixels }
    }

    /// Height and width.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// All bytes: `[r, g, b]` of the first pixel, then of its right neighbour, then row after row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All bytes, to change in place.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The bytes, without a copy.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Bytes of a row: three times the width.
    pub fn row_bytes(&self) -> usize {
        3 * self.size.width() as usize
    }

    /// One row from the top.
    ///
    /// # Panics
    /// When `y` is not below the height.
    pub fn row(&self, y: usize) -> &[u8] {
        let bytes = self.row_bytes();
        &self.pixels[y * bytes..][..bytes]
    }

    /// The colour of the pixel in row `y` and column `x`.
    ///
    /// # Panics
    /// When it lies outside the picture.
    pub fn pixel(&self, y: usize, x: usize) -> [u8; 3] {
        let row = self.row(y);
        [row[3 * x], row[3 * x + 1], row[3 * x + 2]]
    }

    /// The picture as a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let mut file = std::io::Cursor::new(Vec::new());
        let (width, height) = (self.size.width(), self.size.height());
        image::write_buffer_with_format(
            &mut file,
            &self.pixels,
            width,
            height,
            image::ExtendedColorType::Rgb8,
            image::ImageFormat::Png,
        )
        .unwrap_or_else(|error| unreachable!("the bytes are those of the size, and memory takes them all: {error}"));
        file.into_inner()
    }

    /// The bytes as pixels.
    pub(crate) fn colours(&self) -> &[[u8; 3]] {
        self.pixels.as_chunks().0
    }

    /// The bytes as pixels, to change in place.
    pub(crate) fn colours_mut(&mut self) -> &mut [[u8; 3]] {
        self.pixels.as_chunks_mut().0
    }

    /// Puts a picture of the same size here and gives back the old bytes, so that buffers can be used again.
    pub(crate) fn replace_pixels(&mut self, pixels: Vec<u8>) -> Vec<u8> {
        assert_eq!(pixels.len(), self.pixels.len(), "a picture keeps its size");
        std::mem::replace(&mut self.pixels, pixels)
    }
}

/// Bytes of an RGB picture of this size.
pub(crate) fn byte_count(size: ImageSize) -> usize {
    3 * size.height() as usize * size.width() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_holds_three_bytes_a_pixel() {
        let size = ImageSize::new(2, 3).unwrap();
        assert!(Picture::new(size, vec![0; 17]).is_none());
        assert!(Picture::new(size, vec![0; 19]).is_none());
        let picture = Picture::new(size, (0..18).collect()).unwrap();
        assert_eq!(picture.pixel(1, 2), [15, 16, 17]);
        assert_eq!(picture.row(1), [9, 10, 11, 12, 13, 14, 15, 16, 17]);
        assert_eq!(Picture::filled(size, [1, 2, 3]).pixel(1, 1), [1, 2, 3]);
    }
}
