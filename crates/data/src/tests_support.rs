//! Pictures and folders for tests.

use std::path::Path;

/// A PNG of one colour.
pub(crate) fn png(height: u32, width: u32, colour: [u8; 3]) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb(colour));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A PNG whose pixels are a formula of the seed.
pub(crate) fn noise_png(height: u32, width: u32, seed: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let n = (seed.wrapping_mul(977) + x * 31 + y * 57).wrapping_mul(2_654_435_761);
        image::Rgb([(n >> 24) as u8, (n >> 16) as u8, (n >> 8) as u8])
    };
    let picture = image::RgbImage::from_fn(width, height, pixel);
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Writes a file and the folders that it needs.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
