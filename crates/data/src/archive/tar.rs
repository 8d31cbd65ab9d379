//! Where the files of a tar lie.

use std::fs::File;
use std::io;

use super::{Found, Member, Packing};

pub(super) fn list(file: File) -> io::Result<Found> {
    let length = file.metadata()?.len();
    let mut archive = tar::Archive::new(file);
    let mut found = Found::default();
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        let path = entry.path_bytes();
        match std::str::from_utf8(&path) {
            Ok(name) if kind.is_file() => {
                let (start, size) = (entry.raw_file_position(), entry.size());
                if start.checked_add(size).is_none_or(|end| end > length) {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("it ends within {name}")));
                }
                found.members.push(Member {
                    name: name.to_owned(),
                    start,
                    stored: size,
                    size,
                    packing: Packing::Plain,
                });
            }
            _ => found.passed_over.push(String::from_utf8_lossy(&path).into_owned()),
        }
    }
    Ok(found)
}
