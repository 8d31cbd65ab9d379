//! What was learnt of pictures, kept on disk from one run to the next.
//!
//! One file holds everything that reading pictures by one rule gives: each picture at the network's size, what the audit
//! needs of it, and the thumbnail that near-duplicates are found by. It is found by the SHA-256 of the picture's file, so
//! a picture that is moved or renamed is known and one that is changed is not. Whatever is wrong with the file (a crash, a
//! full disk, flipped bits, another program), a picture that cannot be had from it is decoded, as if it were not there.
//!
//! ```text
//! header      4096 bytes: the kind of file, the rule as JSON, zeros
//! block 0     a directory of 256 entries (SHA-256 of the picture's file, XXH3-128 of the slot), then 256 slots
//! block 1     …
//! slot        1024 bytes: length and JSON of what is known, zeros; 4096 bytes: thumbnail; 3 · height · width bytes: pixels
//! ```
//!
//! Slots are filled in order. A slot is written first and its entry afterwards, so that an entry without its slot is
//! never seen but after a crash of the whole machine; the checksum tells that. Who adds a picture locks the file.

mod entry;
mod folder;
mod layout;
mod positional;
#[cfg(test)]
mod tests;
mod twins;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use avizor_base::Preprocess;

use crate::scan::ContentHash;

pub(crate) use entry::Known;
use entry::Slot;
pub use folder::{Held, held, remove};
use layout::{ENTRY_BYTES, HEADER_BYTES, Layout, SLOTS_OF_BLOCK};
use positional::{read_at, write_at};
pub(crate) use twins::twins;

/// Raise it when the same file gives another picture, or another thing known of it, than before: a test tells.
const READS_AS: u32 = 1;

/// A file of pictures that were read before, by one rule.
#[derive(Debug)]
pub struct PictureCache {
    file: File,
    layout: Layout,
    /// Where what is known of a file's content stands.
    places: RwLock<HashMap<ContentHash, Place>>,
    /// Slots in use, as far as this process knows; `None` when nothing can be added any more.
    next: Mutex<Option<u64>>,
    /// Where the file lies, among those of other rules.
    path: PathBuf,
    /// Bytes that all of them may take.
    limit: u64,
}

/// A slot and what its bytes must hash to.
#[derive(Clone, Copy, Debug)]
struct Place {
    number: u64,
    checksum: u128,
}

impl PictureCache {
    /// Bytes that the files of all rules may take together: 8 GiB.
    pub const DEFAULT_LIMIT: u64 = 8 << 30;

    /// Opens the file of a rule in a folder, or makes both. All files there take no more than `limit` bytes: now, and as this
    /// one grows, those of other rules go, the one first that was not used for longest.
    ///
    /// # Errors
    /// The file system says no.
    pub fn open(folder: &Path, rule: &Preprocess, limit: u64) -> io::Result<Self> {
        let header = layout::header(rule)?;
        let path = folder.join(layout::file_name(&header));
        std::fs::create_dir_all(folder)?;
        folder::trim(&path, limit);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let layout = Layout::new(rule.size);
        begin(&file, &header)?;
        let cache = Self { file, layout, places: RwLock::default(), next: Mutex::new(None), path, limit };
        let mut next = 0;
        cache.learn(&mut next)?;
        Ok(Self { next: Mutex::new(Some(next)), ..cache })
    }

    /// How many pictures there are.
    pub fn len(&self) -> usize {
        self.places.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of a file by its content, and its pixels at the rule's size; `None` when that is nothing, or damaged.
    pub(crate) fn find<'b>(&self, hash: &ContentHash, bench: &'b mut Vec<u8>) -> Option<(Known, &'b [u8])> {
        let slot = Slot(self.slot(hash, bench)?);
        Some((slot.known()?, slot.pixels()))
    }

    /// The pixels alone.
    pub(crate) fn pixels<'b>(&self, hash: &ContentHash, bench: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        Some(Slot(self.slot(hash, bench)?).pixels())
    }

    /// Adds what is known of a file. What cannot be written is not there the next time, which is all.
    pub(crate) fn add(&self, hash: &ContentHash, known: &Known, pixels: &[u8], bench: &mut Vec<u8>) {
        let is_known = || self.places.read().unwrap_or_else(PoisonError::into_inner).contains_key(hash);
        if is_known() || Slot::fill(bench, known, pixels).is_none() {
            return;
        }
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = next.as_mut()
            && self.append(at, hash, bench).is_err()
        {
            // A full disk, or one that cannot be locked: what is there can still be read.
            *next = None;
        }
    }

    /// The bytes of a slot, if they are what they were.
    fn slot<'b>(&self, hash: &ContentHash, bench: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        let place = *self.places.read().unwrap_or_else(PoisonError::into_inner).get(hash)?;
        bench.resize(self.layout.slot_bytes(), 0);
        read_at(&self.file, bench, self.layout.slot(place.number)).ok()?;
        (entry::checksum(hash, bench) == place.checksum).then_some(bench.as_slice())
    }

    /// Writes a slot behind all others, those included that other processes added meanwhile.
    fn append(&self, next: &mut u64, hash: &ContentHash, slot: &[u8]) -> io::Result<()> {
        let _lock = Locked::new(&self.file)?;
        self.learn(next)?;
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        if places.contains_key(hash) {
            return Ok(());
        }
        if *next >= self.layout.slots_in(self.limit) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if next.is_multiple_of(SLOTS_OF_BLOCK) {
            folder::trim(&self.path, self.limit.saturating_sub(self.layout.block_bytes()));
        }
        let place = Place { number: *next, checksum: entry::checksum(hash, slot) };
        write_at(&self.file, slot, self.layout.slot(place.number))?;
        write_at(&self.file, &entry::directory_entry(hash, place.checksum), self.layout.entry(place.number))?;
        places.insert(*hash, place);
        *next += 1;
        Ok(())
    }

    /// Takes in the entries from `next` on, up to the first that is empty.
    fn learn(&self, next: &mut u64) -> io::Result<()> {
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        loop {
            // To the end of a directory at once: a file of a hundred thousand pictures is read in four hundred steps.
            let mut entries = vec![0; (SLOTS_OF_BLOCK - *next % SLOTS_OF_BLOCK) as usize * ENTRY_BYTES];
            let there = positional::read_up_to(&self.file, &mut entries, self.layout.entry(*next))?;
            for entry in entries[..there].chunks_exact(ENTRY_BYTES) {
                let Some((hash, checksum)) = entry::of_directory(entry) else { return Ok(()) };
                places.insert(hash, Place { number: *next, checksum });
                *next += 1;
            }
            if there < entries.len() {
                return Ok(());
            }
        }
    }
}

/// Makes sure that a file begins with its header, and that the file counts as just used.
fn begin(file: &File, header: &[u8]) -> io::Result<()> {
    let _lock = Locked::new(file)?;
    let mut found = vec![0; HEADER_BYTES];
    let there = positional::read_up_to(file, &mut found, 0)?;
    if there > 0 && found[..there] != *header {
        // Of this name, but not ours, or damaged at its start: nothing in it can be trusted.
        file.set_len(0)?;
    }
    write_at(file, header, 0)
}

/// A file that no other process adds to meanwhile.
struct Locked<'f>(&'f File);

impl<'f> Locked<'f> {
    fn new(file: &'f File) -> io::Result<Self> {
        file.lock()?;
        Ok(Self(file))
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // A lock that cannot be given back ends with the process.
        let _ = self.0.unlock();
    }
}
