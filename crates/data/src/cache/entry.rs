//! A slot and its entry in the directory.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::layout::{ENTRY_BYTES, KNOWN_BYTES, THUMBNAIL_BYTES};
use crate::scan::{ContentHash, Seen};
use crate::twins::Thumbnail;

/// What reading a picture told, beside its pixels at the network's size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) seen: Seen,
    pub(crate) thumbnail: Thumbnail,
}

/// The part of it that is written as JSON.
#[derive(Serialize, Deserialize)]
struct Told {
    seen: Seen,
    shorter_side: u32,
}

/// Bytes of the length before the JSON.
const LENGTH_BYTES: usize = 4;

/// The bytes of a slot.
pub(super) struct Slot<'b>(pub(super) &'b [u8]);

impl<'b> Slot<'b> {
    /// Writes one; `None` should what is known not fit.
    pub(super) fn fill(bytes: &mut Vec<u8>, known: &Known, pixels: &[u8]) -> Option<()> {
        let told = Told { seen: known.seen, shorter_side: known.thumbnail.shorter_side() as u32 };
        let json = serde_json::to_vec(&told).ok().filter(|json| json.len() <= KNOWN_BYTES - LENGTH_BYTES)?;
        bytes.clear();
        bytes.extend_from_slice(&(json.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&json);
        bytes.resize(KNOWN_BYTES, 0);
        bytes.extend_from_slice(known.thumbnail.luma());
        bytes.extend_from_slice(pixels);
        Some(())
    }

    pub(super) fn known(&self) -> Option<Known> {
        let (length, rest) = self.0.split_first_chunk::<LENGTH_BYTES>()?;
        let told: Told = serde_json::from_slice(rest.get(..u32::from_le_bytes(*length) as usize)?).ok()?;
        let luma = self.0.get(KNOWN_BYTES..)?.first_chunk::<THUMBNAIL_BYTES>()?;
        Some(Known { seen: told.seen, thumbnail: Thumbnail::restored(Box::new(*luma), told.shorter_side) })
    }

    pub(super) fn pixels(&self) -> &'b [u8] {
        &self.0[KNOWN_BYTES + THUMBNAIL_BYTES..]
    }
}

/// Of a slot and of what it is known by.
pub(super) fn checksum(hash: &ContentHash, slot: &[u8]) -> u128 {
    let mut checksum = Xxh3::new();
    checksum.update(&hash.0);
    checksum.update(slot);
    checksum.digest128()
}

pub(super) fn directory_entry(hash: &ContentHash, checksum: u128) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    entry[..32].copy_from_slice(&hash.0);
    entry[32..].copy_from_slice(&checksum.to_le_bytes());
    entry
}

/// `None` for an entry that is empty.
pub(super) fn of_directory(entry: &[u8]) -> Option<(ContentHash, u128)> {
    let (hash, checksum) = entry.split_first_chunk::<32>()?;
    let checksum = u128::from_le_bytes(checksum.try_into().ok()?);
    (*hash != [0; 32]).then_some((ContentHash(*hash), checksum))
}
