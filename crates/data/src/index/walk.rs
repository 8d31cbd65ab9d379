//! The files of a folder and of the folders below it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::{Archive, EXTENSIONS};
use crate::parquet;

use super::decisions;
use super::error::IndexError;
use super::file_kind::{self, FileKind};
use super::ignored::{Ignored, IgnoredKind};
use super::raw::Root;
use super::texts::Texts;

/// What lies in a folder. Names are relative to it, with `/` between parts.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Candidates for samples, sorted by bytes.
    pub(super) names: Texts,
    /// Tables, sorted.
    pub(super) tables: Vec<String>,
    /// Archives that lie in the folder itself, sorted.
    pub(super) archives: Vec<String>,
    /// Parquet files at any depth, sorted.
    pub(super) parquets: Vec<String>,
    /// What is listed, where it is no folder.
    pub(super) archive: Option<Arc<Archive>>,
    /// All folders at any depth, sorted, hidden ones and junk left out.
    pub(super) folders: Vec<String>,
    /// The rest.
    pub(super) ignored: Ignored,
}

impl Listing {
    /// What the names are relative to; `path` is where the folder is.
    pub(super) fn root(&self, path: &Path) -> Root {
        match &self.archive {
            Some(archive) => Root::Archive(Arc::clone(archive)),
            None => path.into(),
        }
    }

    /// Tables that lie directly in the folder itself (`""`) or in one below it (`"train/"`).
    pub(super) fn tables_in(&self, base: &str) -> impl Iterator<Item = &str> {
        let inside = move |table: &&str| table.strip_prefix(base).is_some_and(|rest| !rest.contains('/'));
        self.tables.iter().map(String::as_str).filter(inside)
    }

    /// Whether the folder holds nothing at all.
    pub(super) fn is_bare(&self) -> bool {
        self.names.is_empty() && self.tables.is_empty() && self.folders.is_empty() && self.ignored.total() == 0
    }
}

/// Lists a folder. Links to files and folders are followed; a link back to a folder on the way is not.
pub(super) fn list(root: &Path) -> Result<Listing, IndexError> {
    let metadata = fs::metadata(root).map_err(|error| IndexError::at(root, error))?;
    if !metadata.is_dir() {
        return Err(IndexError::NoFolder { path: root.to_owned() });
    }
    let mut walk = Walk { names: Vec::new(), listing: Listing::default() };
    let canonical = fs::canonicalize(root).map_err(|error| IndexError::at(root, error))?;
    walk.folder(root, "", &mut vec![canonical]).map_err(|error| IndexError::at(root, error))?;
    // Sorted here, so that the order in which a file system lists does not matter.
    walk.names.sort_unstable();
    walk.listing.tables.sort_unstable();
    walk.listing.archives.sort_unstable();
    walk.listing.parquets.sort_unstable();
    walk.listing.folders.sort_unstable();
    walk.listing.names = walk.names.iter().map(String::as_str).collect();
    Ok(walk.listing)
}

/// Lists an archive as the folder that it would be unpacked to; tables in it are not read.
pub(super) fn list_archive(archive: Arc<Archive>) -> Listing {
    let mut listing = Listing::default();
    let (mut names, mut start) = (Vec::new(), Vec::new());
    for name in archive.names() {
        let mut parts = name.split('/').rev();
        let file = parts.next().unwrap_or_default();
        let junk = parts.any(|folder| folder.starts_with('.') || file_kind::is_system_junk(folder));
        match file_kind::by_name(file) {
            _ if junk => listing.ignored.add(IgnoredKind::SystemJunk, name),
            FileKind::Picture => names.push(name),
            FileKind::Unknown => {
                let read = archive.read(name, 16, &mut start);
                match read.is_ok() && file_kind::is_picture_start(&start) {
                    true => names.push(name),
                    false => listing.ignored.add(IgnoredKind::NotAPicture, name),
                }
            }
            FileKind::Ignored(kind) => listing.ignored.add(kind, name),
            FileKind::Table => listing.ignored.add(IgnoredKind::Document, name),
        }
    }
    archive.passed_over().iter().for_each(|name| listing.ignored.add(IgnoredKind::Special, name));
    listing.names = names.into_iter().collect();
    Listing { archive: Some(archive), ..listing }
}

struct Walk {
    names: Vec<String>,
    listing: Listing,
}

impl Walk {
    /// `chain` holds the true paths of the folders on the way down.
    fn folder(&mut self, path: &Path, name: &str, chain: &mut Vec<PathBuf>) -> io::Result<()> {
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_unstable_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let file_name = entry.file_name();
            let Some(file_name) = file_name.to_str() else {
                let readable = join(name, &file_name.to_string_lossy());
                self.listing.ignored.add(IgnoredKind::NameNotText, &readable);
                continue;
            };
            self.entry(&entry, file_name, name, chain)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, file: &str, folder: &str, chain: &mut Vec<PathBuf>) -> io::Result<()> {
        let path = entry.path();
        let name = join(folder, file);
        let mut kind = entry.file_type()?;
        if kind.is_symlink() {
            match fs::metadata(&path) {
                Ok(target) => kind = target.file_type(),
                Err(_) => return self.ignore(IgnoredKind::BrokenLink, &name),
            }
        }
        if kind.is_dir() {
            self.subfolder(&path, file, &name, chain)
        } else if kind.is_file() {
            self.file(&path, file, name)
        } else {
            self.ignore(IgnoredKind::Special, &name)
        }
    }

    fn subfolder(&mut self, path: &Path, file: &str, name: &str, chain: &mut Vec<PathBuf>) -> io::Result<()> {
        if file.starts_with('.') {
            return self.ignore(IgnoredKind::Hidden, &format!("{name}/"));
        }
        if file_kind::is_system_junk(file) {
            return self.ignore(IgnoredKind::SystemJunk, &format!("{name}/"));
        }
        let Ok(canonical) = fs::canonicalize(path) else {
            return self.ignore(IgnoredKind::BrokenLink, name);
        };
        if chain.contains(&canonical) {
            return self.ignore(IgnoredKind::LinkLoop, name);
        }
        self.listing.folders.push(name.to_owned());
        chain.push(canonical);
        let result = self.folder(path, name, chain);
        chain.pop();
        match result {
            Ok(()) => Ok(()),
            Err(_) => self.ignore(IgnoredKind::UnreadableFolder, name),
        }
    }

    fn file(&mut self, path: &Path, file: &str, name: String) -> io::Result<()> {
        if name.ends_with(decisions::FILE) {
            return Ok(());
        }
        match file_kind::by_name(file) {
            FileKind::Picture => self.names.push(name),
            FileKind::Unknown if file_kind::starts_like_a_picture(path) => self.names.push(name),
            FileKind::Unknown => self.ignore(IgnoredKind::NotAPicture, &name)?,
            FileKind::Ignored(kind) => {
                self.ignore(kind, &name)?;
                let extension = file_kind::extension(file);
                if kind == IgnoredKind::Document && extension == parquet::EXTENSION {
                    self.listing.parquets.push(name);
                } else if !name.contains('/') && EXTENSIONS.contains(&extension.as_str()) {
                    self.listing.archives.push(name);
                }
            }
            FileKind::Table => {
                self.ignore(IgnoredKind::Document, &name)?;
                self.listing.tables.push(name);
            }
        }
        Ok(())
    }

    fn ignore(&mut self, kind: IgnoredKind, name: &str) -> io::Result<()> {
        self.listing.ignored.add(kind, name);
        Ok(())
    }
}

fn join(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}
