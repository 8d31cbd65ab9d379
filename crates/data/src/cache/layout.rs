//! Where things stand in a file.

use std::io;

use avizor_base::{ImageSize, Preprocess};
use xxhash_rust::xxh3::xxh3_128;

use super::READS_AS;
use super::folder::PICTURES;

/// Bytes before the first block.
pub(super) const HEADER_BYTES: usize = 4096;
/// Entries of a directory, and slots behind it.
pub(super) const SLOTS_OF_BLOCK: u64 = 256;
/// A hash of 32 bytes and a checksum of 16.
pub(super) const ENTRY_BYTES: usize = 48;
/// What is known, as JSON, with its length before it.
pub(super) const KNOWN_BYTES: usize = 1024;
/// Luma of 64 × 64 pixels.
pub(super) const THUMBNAIL_BYTES: usize = 4096;

const MAGIC: &str = "avizor pictures 1";

/// The header of a rule's file. Mean and standard deviation are no part of the rule: they change no pixel.
pub(super) fn header(rule: &Preprocess) -> io::Result<Vec<u8>> {
    let pixels = Preprocess { mean: [0.0; 3], std: [1.0; 3], ..rule.clone() };
    let mut header = format!("{MAGIC}\nreads as {READS_AS}\n").into_bytes();
    serde_json::to_writer(&mut header, &pixels)?;
    header.push(b'\n');
    header.resize(HEADER_BYTES, 0);
    Ok(header)
}

/// The name of a rule's file.
pub(super) fn file_name(header: &[u8]) -> String {
    format!("{:032x}.{PICTURES}", xxh3_128(header))
}

/// Positions in a file of pictures of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pixels: usize,
}

impl Layout {
    pub(super) fn new(size: ImageSize) -> Self {
        Self { pixels: 3 * size.area() as usize }
    }

    pub(super) fn slot_bytes(self) -> usize {
        KNOWN_BYTES + THUMBNAIL_BYTES + self.pixels
    }

    /// A directory and its slots.
    pub(super) fn block_bytes(self) -> u64 {
        SLOTS_OF_BLOCK * (ENTRY_BYTES + self.slot_bytes()) as u64
    }

    fn block(self, slot: u64) -> u64 {
        HEADER_BYTES as u64 + slot / SLOTS_OF_BLOCK * self.block_bytes()
    }

    /// Where the entry of a slot stands.
    pub(super) fn entry(self, slot: u64) -> u64 {
        self.block(slot) + slot % SLOTS_OF_BLOCK * ENTRY_BYTES as u64
    }

    /// Where a slot stands.
    pub(super) fn slot(self, slot: u64) -> u64 {
        self.block(slot) + SLOTS_OF_BLOCK * ENTRY_BYTES as u64 + slot % SLOTS_OF_BLOCK * self.slot_bytes() as u64
    }

    /// Slots that a file of so many bytes has room for.
    pub(super) fn slots_in(self, bytes: u64) -> u64 {
        bytes.saturating_sub(HEADER_BYTES as u64) / (ENTRY_BYTES + self.slot_bytes()) as u64
    }
}
