//! Where the files of a zip lie, by its directory.

use std::fs::File;
use std::io::{self, BufReader};

use zip::{CompressionMethod, ZipArchive};

use super::{Found, Member, Packing};

pub(super) fn list(file: &File) -> io::Result<Found> {
    let length = file.metadata()?.len();
    let mut archive = ZipArchive::new(BufReader::new(file))?;
    let mut found = Found::default();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at)?;
        if entry.is_dir() {
            continue;
        }
        let packing = match entry.compression() {
            CompressionMethod::Stored => Some(Packing::Plain),
            CompressionMethod::DEFLATE => Some(Packing::Deflate),
            _ => None,
        };
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let is_text = std::str::from_utf8(entry.name_raw()).is_ok();
        let place = entry
            .data_start()
            .filter(|&start| start.checked_add(entry.compressed_size()).is_some_and(|end| end <= length));
        match (packing, place) {
            (Some(packing), Some(start)) if is_text && !entry.encrypted() && !entry.is_symlink() => {
                let (stored, size) = (entry.compressed_size(), entry.size());
                found.members.push(Member { name, start, stored, size, packing });
            }
            _ => found.passed_over.push(name),
        }
    }
    Ok(found)
}
