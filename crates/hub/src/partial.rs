//! The part of a file that is here.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::content_hash::ContentHash;

/// A file that grows until it is whole. Its hash is always that of what is there.
pub(crate) struct Partial {
    path: PathBuf,
    file: File,
    len: u64,
    hash: ContentHash,
}

impl Partial {
    /// Goes on with what an earlier try has left.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        let mut hash = ContentHash::default();
        let len = io::copy(&mut file, &mut hash)?;
        Ok(Self { path, file, len, hash })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that are there.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.write_all(bytes)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Forgets all that is there.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        (self.len, self.hash) = (0, ContentHash::default());
        Ok(())
    }

    /// SHA-256 of what is there.
    pub(crate) fn hash(&self) -> String {
        self.hash.so_far()
    }

    /// Gives the whole file its place.
    pub(crate) fn finish(self, place: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        // Windows renames no file that is open.
        drop(self.file);
        fs::rename(&self.path, place)
    }
}
