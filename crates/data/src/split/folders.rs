//! A split as folders: `train/cat/0001.jpg`, for programs that know no tables.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::Partition;
use crate::Place;
use crate::decode::{Limits, probe};
use crate::index::Index;

/// Why a split cannot be made of folders.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldersError {
    /// Something is there already.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A class whose name is no name of a folder.
    #[error("class \"{class}\" cannot be a folder: its name is empty, `.` or `..`, or holds a `/`, a `\\` or a NUL")]
    Class {
        /// The class.
        class: String,
    },
    /// The file system says no.
    #[error("{} cannot be read or written: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// How many files a split's folders hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Materialized {
    /// Hard links: they take no room.
    pub linked: usize,
    /// Copies, where the file system makes no links, or out of an archive or a Parquet file.
    pub copied: usize,
}

/// Puts every sample of a part into a folder of its part and class below `target`, which must be empty or not there.
///
/// A file keeps the last part of its name; of two with one name in one folder, both get all parts, with `-` between them.
///
/// # Errors
/// The target is not empty, a class's name is none of a folder, the file system says no.
pub fn materialize(index: &Index, partition: &Partition, target: &Path) -> Result<Materialized, FoldersError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| FoldersError::File { path, source }
    };
    if target.exists() && fs::read_dir(target).map_err(failed(target))?.next().is_some() {
        return Err(FoldersError::NotEmpty { path: target.to_owned() });
    }
    if let Some(class) = index.classes().names().iter().find(|class| !is_folder_name(class)) {
        return Err(FoldersError::Class { class: class.clone() });
    }
    let (mut made, mut bytes) = (Materialized::default(), Vec::new());
    for (file, row) in files(index, partition) {
        let (from, to) = (index.path(row), target.join(file));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        match index.place(row, &from) {
            Place::File(from) => {
                // A link to where a link leads, so that it is a picture and not a way to it.
                let from = fs::canonicalize(from).map_err(failed(from))?;
                if fs::hard_link(&from, &to).is_ok() {
                    made.linked += 1;
                    continue;
                }
                fs::copy(&from, &to).map_err(failed(&to))?;
            }
            Place::Row(file, number) => {
                file.read(number, u64::MAX, &mut bytes).map_err(failed(&from))?;
                // A number says no format, and other programs ask the name.
                let extension = probe(&bytes, &Limits::default()).ok().map(|facts| facts.format.extensions()[0]);
                let to = extension.map_or(to.clone(), |extension| to.with_added_extension(extension));
                fs::write(&to, &bytes).map_err(failed(&to))?;
            }
            Place::Member(archive, name) => {
                archive.read(name, u64::MAX, &mut bytes).map_err(failed(&from))?;
                fs::write(&to, &bytes).map_err(failed(&to))?;
            }
        }
        made.copied += 1;
    }
    Ok(made)
}

/// Every sample of a part by the path that it gets, no two alike.
fn files(index: &Index, partition: &Partition) -> BTreeMap<PathBuf, usize> {
    let mut by_path: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    let folder = |row: usize| {
        let part = partition.part(row)?;
        Some(Path::new(part.name()).join(index.classes().name(index.label(row))))
    };
    for row in 0..index.len() {
        if let Some(folder) = folder(row) {
            let name = index.name(row);
            by_path.entry(folder.join(name.rsplit('/').next().unwrap_or(name))).or_default().push(row);
        }
    }
    let mut files = BTreeMap::new();
    for (path, rows) in by_path {
        if let [row] = rows[..] {
            files.insert(path, row);
            continue;
        }
        for row in rows {
            let whole = path.with_file_name(index.name(row).replace('/', "-"));
            // `a/b-c` and `a-b/c`: the id tells them apart.
            let own = path.with_file_name(format!("{:016x}-{}", index.id(row).0, index.name(row).replace('/', "-")));
            let free = if files.contains_key(&whole) { own } else { whole };
            files.insert(free, row);
        }
    }
    files
}

fn is_folder_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let plain = matches!((components.next(), components.next()), (Some(Component::Normal(_)), None));
    plain && !name.contains(['/', '\\', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_support::{noise_png, write};
    use crate::{DataOptions, SplitOptions, split};

    #[test]
    fn every_picture_of_a_part_lies_in_its_folder_under_a_name_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..30 {
            let class = ["a", "b"][n as usize % 2];
            write(folder.path(), &format!("{class}/{}/{}.png", n / 6, n % 6), &noise_png(8, 8, n));
        }
        let index = Index::read(&DataOptions::new(folder.path())).unwrap();
        let partition = split(&index, None, &SplitOptions::default()).unwrap();
        let target = tempfile::tempdir().unwrap();
        let out = target.path().join("split");
        let made = materialize(&index, &partition, &out).unwrap();
        assert_eq!(made.linked + made.copied, 30);
        let again = Index::read(&DataOptions::new(&out)).unwrap();
        assert_eq!(again.len(), 30);
        assert_eq!(again.classes(), index.classes());
        for part in avizor_base::Split::ALL {
            let given = (0..again.len()).filter(|&row| again.given(row) == Some(part)).count();
            assert_eq!(given, partition.rows(part).len(), "{part}");
        }
        let mut contents: Vec<Vec<u8>> = (0..30).map(|row| fs::read(again.path(row)).unwrap()).collect();
        contents.sort();
        contents.dedup();
        assert_eq!(contents.len(), 30);
        assert!(matches!(materialize(&index, &partition, &out), Err(FoldersError::NotEmpty { .. })));
    }

    #[test]
    fn only_plain_names_become_folders() {
        for (name, is_one) in [
            ("cat", true),
            ("Mr. Mime", true),
            ("...", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a/b", false),
            ("/etc", false),
            ("a\\b", false),
            ("a\0", false),
        ] {
            assert_eq!(is_folder_name(name), is_one, "{name:?}");
        }
    }
}
