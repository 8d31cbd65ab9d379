//! The hub's cache on disk, laid out as the hub's Python library has it, so that the two share files.
//!
//! ```text
//! models--ORG--NAME/blobs/ETAG                 content, once; ETAG.incomplete while it is being fetched
//! models--ORG--NAME/snapshots/COMMIT/FILE      relative link to its blob, or a copy where there are no links
//! models--ORG--NAME/refs/REVISION              the commit that a branch or tag stood for
//! .locks/models--ORG--NAME/ETAG.lock           held by who fetches the blob
//! ```
//!
//! Source: `huggingface_hub/file_download.py`, 2.4.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use avizor_base::atomic_file;

use crate::HubFile;

/// A reference that is longer names no commit.
const MOST_REFERENCE_BYTES: u64 = 256;

/// The part of the cache that belongs to one repository.
pub(crate) struct Repository {
    folder: PathBuf,
    locks: PathBuf,
}

impl Repository {
    pub(crate) fn new(cache: &Path, file: &HubFile) -> Self {
        let name = format!("models--{}", file.repository().replace('/', "--"));
        Self { folder: cache.join(&name), locks: cache.join(".locks").join(name) }
    }

    /// The file as it was last fetched.
    pub(crate) fn at_hand(&self, file: &HubFile) -> Option<PathBuf> {
        let path = self.snapshot(&self.commit(file.revision())?, file.path());
        path.is_file().then_some(path)
    }

    /// The commit that a revision stood for when it was last looked up.
    fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let mut commit = String::new();
        File::open(self.reference(revision)).ok()?.take(MOST_REFERENCE_BYTES).read_to_string(&mut commit).ok()?;
        Some(commit.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// Notes the commit that a revision stands for.
    pub(crate) fn remember(&self, revision: &str, commit: &str) -> io::Result<()> {
        if is_commit(revision) {
            return Ok(());
        }
        let path = self.reference(revision);
        create_parent(&path)?;
        atomic_file::write(&path, commit.as_bytes())
    }

    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    pub(crate) fn snapshot(&self, commit: &str, path: &str) -> PathBuf {
        path.split('/').fold(self.folder.join("snapshots").join(commit), |folder, part| folder.join(part))
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.folder.join("refs").join(revision)
    }

    /// Waits until nobody else fetches the blob. Let go of when the file is dropped.
    pub(crate) fn lock(&self, etag: &str) -> io::Result<File> {
        let path = self.locks.join(format!("{etag}.lock"));
        create_parent(&path)?;
        create_parent(&self.blob(etag))?;
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.lock() {
            // A file system without locks: two programs may then fetch a blob twice, and the hash tells what became of it.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
            other => other.map(|()| file),
        }
    }

    /// Puts a blob into a snapshot.
    pub(crate) fn link(&self, etag: &str, commit: &str, path: &str) -> io::Result<()> {
        let place = self.snapshot(commit, path);
        if place.is_file() {
            return Ok(());
        }
        create_parent(&place)?;
        // From the file's folder up to that of the repository.
        let up = path.split('/').count() + 1;
        let target: PathBuf = std::iter::repeat_n("..", up).chain(["blobs", etag]).collect();
        // A link to a blob that is gone is in the way of the new one.
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let made = symlink(&target, &place);
        if made.is_err() && !place.is_file() {
            let mut blob = File::open(self.blob(etag))?;
            atomic_file::write_with(&place, |file| io::copy(&mut blob, file).map(|_| ()))?;
        }
        Ok(())
    }
}

/// Whether a revision is a commit: 40 hexadecimal digits.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn create_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

#[cfg(unix)]
fn symlink(target: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(windows)]
fn symlink(target: &Path, place: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, place)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
