//! Wheels: zip files.

use std::fs::File;
use std::io::{self, Read};

use zip::ZipArchive;

use super::Bounded;

/// The content of the file of this name, if it has no more than so many bytes.
///
/// # Errors
/// When the wheel is damaged or has no such file.
pub(crate) fn file(wheel: File, name: &str, most: u64) -> io::Result<Vec<u8>> {
    let mut archive = ZipArchive::new(wheel)?;
    let file = archive.by_name(name)?;
    let mut content = Vec::new();
    // What a header says of the size is not believed.
    Bounded::new(file, most).read_to_end(&mut content)?;
    Ok(content)
}
