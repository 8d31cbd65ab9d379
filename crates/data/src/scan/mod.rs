//! Every file read once: its content's hash, how it is stored, what is wrong with it.

mod blur;
mod border;
mod light;
mod look;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use sha2::{Digest, Sha256};

use crate::cache;
use crate::decode::{DecodeError, DecodeOptions, Decoded, decode};
use crate::index::Index;
use crate::loader::{Bench, Learnt, Prepared};
use crate::picture_file::{self, Unreadable};
use crate::twins::{MOST_PICTURES, Thumbnail, Twins};

pub use light::Light;
pub use look::{PixelHash, Seen};

/// SHA-256 of a file's bytes; shown as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What is known of a sample after its file was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Of the whole file; `None` where it could not be read or is larger than the limit.
    pub hash: Option<ContentHash>,
    /// Bytes of the file, 0 where it could not be read.
    pub bytes: u64,
    /// The picture, or why there is none.
    pub seen: Result<Seen, Unreadable>,
}

/// A [`Record`] for each row of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    records: Vec<Record>,
    /// What twins are found by; none of more than [`MOST_PICTURES`].
    thumbnails: Vec<Option<Thumbnail>>,
    twins: Option<Twins>,
}

impl Scan {
    /// What is known of a sample.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn record(&self, row: usize) -> &Record {
        &self.records[row]
    }

    /// All records in the order of the index.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Looks for near-duplicates, unless there are more than [`MOST_PICTURES`]; in a cache first, where there is one.
    pub fn find_twins(&mut self, threads: usize, cache: Option<&Path>) {
        if self.thumbnails.len() == self.records.len() {
            let find = || Twins::find(&self.thumbnails, threads);
            self.twins = Some(match cache {
                Some(folder) => cache::twins(folder, &self.thumbnails, find),
                None => find(),
            });
        }
    }

    /// The near-duplicates, where they were looked for.
    pub fn twins(&self) -> Option<&Twins> {
        self.twins.as_ref()
    }

    /// Whether a sample can be used.
    pub fn is_usable(&self, row: usize) -> bool {
        self.records[row].seen.is_ok()
    }

    /// The samples that cannot be used, and why.
    pub fn unreadable(&self) -> impl Iterator<Item = (usize, &Unreadable)> {
        self.records.iter().enumerate().filter_map(|(row, record)| Some((row, record.seen.as_ref().err()?)))
    }

    /// One hash over the names, classes, contents and metadata of all samples: equal data, equal fingerprint.
    pub fn fingerprint(&self, index: &Index) -> ContentHash {
        let mut hash = Sha256::new();
        for (row, record) in self.records.iter().enumerate() {
            hash.update(index.name(row));
            hash.update([0]);
            hash.update(index.classes().name(index.label(row)));
            hash.update([0]);
            hash.update(record.hash.map_or([0; 32], |hash| hash.0));
            for column in index.metadata() {
                hash.update(column.values.get(row));
                hash.update([0]);
            }
        }
        ContentHash(hash.finalize().into())
    }
}

/// Reads and decodes every file on `threads` threads; the result does not depend on their number.
///
/// With `prepared`, whose index and decode options then count, the pictures are resized into its cache as far as its
/// budget goes, so that training decodes them no more. `progress` is told the files done, on the calling thread.
pub fn scan(
    index: &Index,
    options: &DecodeOptions,
    threads: usize,
    prepared: Option<&Prepared>,
    mut progress: impl FnMut(usize),
) -> Scan {
    let options = prepared.map_or(*options, Prepared::decode_options);
    let next = AtomicUsize::new(0);
    let mut read: Vec<Option<(Record, Option<Thumbnail>)>> = vec![None; index.len()];
    let thumbnails = index.len() <= MOST_PICTURES;
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(256);
        for _ in 0..threads.clamp(1, index.len().max(1)) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                let mut reader = Reader { options, prepared, thumbnails, bench: Bench::default() };
                loop {
                    let row = next.fetch_add(1, Ordering::Relaxed);
                    // The receiver outlives the threads; should it not, there is nobody to work for.
                    if row >= index.len() || sender.send((row, reader.read(row, index))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (done, (row, record)) in receiver.iter().enumerate() {
            read[row] = Some(record);
            progress(done + 1);
        }
    });
    // The scope passes a panic of a thread on; without one every row was sent.
    let (records, found): (Vec<Record>, Vec<Option<Thumbnail>>) = read.into_iter().flatten().unzip();
    Scan { records, thumbnails: if thumbnails { found } else { Vec::new() }, twins: None }
}

struct Reader<'a> {
    options: DecodeOptions,
    prepared: Option<&'a Prepared>,
    /// Whether they are wanted.
    thumbnails: bool,
    bench: Bench,
}

impl Reader<'_> {
    fn read(&mut self, row: usize, index: &Index) -> (Record, Option<Thumbnail>) {
        let path = index.path(row);
        if let Err(error) = picture_file::read(index.place(row, &path), &self.options.limits, &mut self.bench.bytes) {
            let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
            return (Record { hash: None, bytes, seen: Err(error) }, None);
        }
        let hash = ContentHash(Sha256::digest(&self.bench.bytes).into());
        let bytes = self.bench.bytes.len() as u64;
        let (seen, thumbnail) = match self.look(row, &hash) {
            Ok((seen, thumbnail)) => (Ok(seen), thumbnail.filter(|_| self.thumbnails)),
            Err(error) => (Err(Unreadable::Picture(error)), None),
        };
        (Record { hash: Some(hash), bytes, seen }, thumbnail)
    }

    /// What there is to see in a file: from memory, or by decoding it.
    fn look(&mut self, row: usize, hash: &ContentHash) -> Result<(Seen, Option<Thumbnail>), DecodeError> {
        if let Some(known) = self.prepared.and_then(|prepared| prepared.recall(row, hash, &mut self.bench)) {
            return Ok((known.seen, Some(known.thumbnail)));
        }
        let Decoded { picture, facts } = decode(&self.bench.bytes, &self.options)?;
        let seen = Seen::of(&picture, facts);
        // What is remembered may be wanted by a smaller set.
        let is_wanted = self.thumbnails || self.prepared.is_some_and(Prepared::remembers);
        let thumbnail = is_wanted.then(|| Thumbnail::of(&picture));
        if let Some(prepared) = self.prepared {
            let learnt = Learnt { hash, seen: &seen, thumbnail: thumbnail.as_ref() };
            prepared.offer(row, &picture, learnt, &mut self.bench);
        }
        Ok((seen, thumbnail))
    }
}
