//! Pictures in a zip or tar file, read where they lie: nothing is unpacked.
//!
//! An archive is listed once: the name of every file in it, and where its bytes are. Each is then read as a file of its own
//! would be, under the same limits.

mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;

/// What endings archives that are read have.
pub const EXTENSIONS: [&str; 2] = ["zip", "tar"];

/// A zip or tar file and what is in it.
#[derive(Clone, Debug)]
pub struct Archive {
    path: PathBuf,
    /// Sorted by name; of several with one name the last is the file.
    members: Vec<Member>,
    /// What is in it and can be no picture: links, devices, names that are no text or lead out of it.
    passed_over: Vec<String>,
}

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    name: String,
    start: u64,
    /// Bytes in the archive.
    stored: u64,
    /// Bytes of its content.
    size: u64,
    packing: Packing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Deflate,
}

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It is packed as a whole, so that no file in it can be read alone.
    #[error("{} is compressed as a whole: no picture in it can be read alone", path.display())]
    PackedWhole {
        /// The archive.
        path: PathBuf,
    },
    /// Its directory makes no sense.
    #[error("{} cannot be read: {problem}", path.display())]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl Archive {
    /// Lists what is in an archive, which is told by its first bytes.
    ///
    /// # Errors
    /// The file system says no, or the file is no archive whose files can be read one by one.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let damaged = |error: io::Error| ArchiveError::Damaged { path: path.to_owned(), problem: error.to_string() };
        let mut file = File::open(path).map_err(damaged)?;
        let mut start = [0; 263];
        let length = read_start(&mut file, &mut start).map_err(damaged)?;
        file.seek(SeekFrom::Start(0)).map_err(damaged)?;
        let found = match &start[..length] {
            [b'P', b'K', ..] => zip::list(&file),
            // gzip, bzip2, xz, zstd.
            [0x1f, 0x8b, ..]
            | [b'B', b'Z', b'h', ..]
            | [0xfd, b'7', b'z', b'X', b'Z', 0]
            | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                return Err(ArchiveError::PackedWhole { path: path.to_owned() });
            }
            // POSIX's mark, and GNU's.
            start if start.get(257..262) == Some(b"ustar") => tar::list(file),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "it is neither a zip nor a tar file")),
        };
        let Found { mut members, mut passed_over } = found.map_err(damaged)?;
        members.retain_mut(|member| match inner(&member.name) {
            Some(name) => {
                member.name = name;
                true
            }
            None => {
                passed_over.push(std::mem::take(&mut member.name));
                false
            }
        });
        // Stable, so that of equal names the one that was written last is the last.
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members.reverse();
        members.dedup_by(|next, kept| next.name == kept.name);
        members.reverse();
        passed_over.sort_unstable();
        Ok(Self { path: path.to_owned(), members, passed_over })
    }

    /// The archive itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all files, sorted by bytes, with `/` between parts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// What is in it and is no file that could be read.
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    /// Fills `bytes` with a file's content, of which no more than `most` + 1 bytes are read.
    ///
    /// # Errors
    /// There is no such file, or the archive is no longer what it was.
    pub fn read(&self, name: &str, most: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        let at = self.members.binary_search_by(|member| member.name.as_str().cmp(name));
        let member = at.map(|at| &self.members[at]).map_err(|_| io::ErrorKind::NotFound)?;
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(member.start))?;
        let stored = file.take(member.stored);
        let most = most.saturating_add(1);
        match member.packing {
            Packing::Plain => stored.take(most).read_to_end(bytes)?,
            Packing::Deflate => DeflateDecoder::new(io::BufReader::new(stored)).take(most).read_to_end(bytes)?,
        };
        let is_cut = (bytes.len() as u64) < member.size.min(most);
        if is_cut { Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends within it")) } else { Ok(()) }
    }
}

/// What a format's reader lists.
#[derive(Debug, Default)]
struct Found {
    members: Vec<Member>,
    passed_over: Vec<String>,
}

/// A name as it is used: relative, without `./`; `None` for one that leads out of the archive.
fn inner(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let leads_out = parts.contains(&"..") || name.starts_with('/') || name.contains(['\\', '\0']) || parts.is_empty();
    (!leads_out).then(|| parts.join("/"))
}

fn read_start(file: &mut File, start: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < start.len() {
        match file.read(&mut start[length..])? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}
