//! Near-duplicates of a set of pictures that was searched before.

use std::path::Path;

use avizor_base::atomic_file;
use xxhash_rust::xxh3::Xxh3;

use super::READS_AS;
use super::folder::TWINS;
use crate::twins::{SEARCHES_AS, Thumbnail, Twins};

/// Those found before among these thumbnails, or else by `find`, and then kept.
pub(crate) fn twins(folder: &Path, thumbnails: &[Option<Thumbnail>], find: impl FnOnce() -> Twins) -> Twins {
    let path = folder.join(format!("{:032x}.{TWINS}", key(thumbnails)));
    let kept = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Twins>(&bytes).ok());
    if let Some(twins) = kept.filter(|twins| twins.are_among(thumbnails.len())) {
        return twins;
    }
    let twins = find();
    if let Ok(bytes) = serde_json::to_vec(&twins) {
        // What cannot be kept is found again.
        let _ = std::fs::create_dir_all(folder).and_then(|()| atomic_file::write(&path, &bytes));
    }
    twins
}

/// Equal for the same pictures in the same order, searched by the same rules.
fn key(thumbnails: &[Option<Thumbnail>]) -> u128 {
    let mut key = Xxh3::new();
    [READS_AS, SEARCHES_AS].iter().for_each(|version| key.update(&version.to_le_bytes()));
    for thumbnail in thumbnails {
        match thumbnail {
            Some(thumbnail) => {
                key.update(&(thumbnail.shorter_side() as u32).to_le_bytes());
                key.update(thumbnail.luma());
            }
            None => key.update(&[0; 4]),
        }
    }
    key.digest128()
}
