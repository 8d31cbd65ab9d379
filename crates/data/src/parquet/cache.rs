//! Pages that were read last, shared by all files of a data set.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use parquet::data_type::ByteArray;

/// Pages beyond this many bytes in all are forgotten, the one that was used longest ago first. The one used last stays, however
/// large it is.
const MOST_BYTES: usize = 256 << 20;
/// As many pages at most: the list of them is searched from its start.
const MOST_PIECES: usize = 64;

/// The pictures of some rows that follow each other: those of a page, or a part of it.
#[derive(Debug)]
pub(super) struct Piece {
    /// `None` for a row without a picture.
    pub(super) pictures: Vec<Option<ByteArray>>,
    /// What it takes in memory.
    pub(super) bytes: usize,
}

/// Number of a file, of a row group in it, and of a piece of that.
pub(super) type Key = (usize, usize, usize);

/// A piece, or why there is none; empty until the thread that asked first has read it.
type Slot = Arc<OnceLock<Result<Arc<Piece>, String>>>;

/// Pages that were read last.
#[derive(Debug, Default)]
pub struct PageCache {
    files: AtomicUsize,
    slots: Mutex<VecDeque<(Key, Slot)>>,
}

impl PageCache {
    /// A number for a file that no other has here.
    pub(super) fn number_file(&self) -> usize {
        self.files.fetch_add(1, Ordering::Relaxed)
    }

    /// The piece, read if it is not at hand. Threads that ask for one at the same time wait for the first of them.
    pub(super) fn piece(&self, key: Key, read: impl FnOnce() -> Result<Piece, String>) -> Result<Arc<Piece>, String> {
        let slot = self.slot(key);
        let is_new = slot.get().is_none();
        let piece = slot.get_or_init(|| read().map(Arc::new)).clone();
        if is_new {
            self.forget_the_oldest();
        }
        piece
    }

    fn slot(&self, key: Key) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let at = slots.iter().position(|(other, _)| *other == key);
        let slot = at.and_then(|at| slots.remove(at)).map(|(_, slot)| slot).unwrap_or_default();
        slots.push_back((key, Arc::clone(&slot)));
        slot
    }

    fn forget_the_oldest(&self) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = |slot: &Slot| slot.get().and_then(|piece| Some(piece.as_ref().ok()?.bytes)).unwrap_or(0);
        let mut all: usize = slots.iter().map(|(_, slot)| bytes(slot)).sum();
        while (all > MOST_BYTES || slots.len() > MOST_PIECES) && slots.len() > 1 {
            let Some((_, oldest)) = slots.pop_front() else { return };
            all -= bytes(&oldest);
        }
    }
}
