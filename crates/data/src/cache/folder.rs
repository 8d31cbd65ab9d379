//! All files of a folder: what they take, and which of them go.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files of pictures end so.
pub(super) const PICTURES: &str = "pictures";
/// Files of near-duplicates end so.
pub(super) const TWINS: &str = "twins";

/// What the files of a folder take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many files there are: one for each rule by which pictures are read, and one for each set searched for near-duplicates.
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// What the files of a folder take; nothing, where there is no such folder.
pub fn held(folder: &Path) -> Held {
    let files = files(folder);
    Held { files: files.len(), bytes: files.iter().map(|file| file.bytes).sum() }
}

/// Removes the files of a folder, and nothing else that may lie there.
///
/// # Errors
/// A file that cannot be removed.
pub fn remove(folder: &Path) -> io::Result<Held> {
    let mut removed = Held::default();
    for file in files(folder) {
        std::fs::remove_file(&file.path)?;
        removed = Held { files: removed.files + 1, bytes: removed.bytes + file.bytes };
    }
    Ok(removed)
}

/// Removes files beside `kept`, those first that were not used for longest, until all take no more than `limit`.
pub(super) fn trim(kept: &Path, limit: u64) {
    let mut files = kept.parent().map(files).unwrap_or_default();
    files.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
    let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
    for file in files.iter().filter(|file| file.path != kept) {
        if bytes <= limit {
            return;
        }
        // One that another program holds open on Windows stays until the next time.
        if std::fs::remove_file(&file.path).is_ok() {
            bytes -= file.bytes;
        }
    }
}

struct CacheFile {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

fn files(folder: &Path) -> Vec<CacheFile> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let file = |entry: std::fs::DirEntry| {
        let path = entry.path();
        let about = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let is_ours = path.extension().is_some_and(|extension| extension == PICTURES || extension == TWINS);
        is_ours.then_some(CacheFile { path, bytes: about.len(), used: about.modified().ok()? })
    };
    entries.filter_map(Result::ok).filter_map(file).collect()
}
