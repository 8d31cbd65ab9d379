//! Pictures decoded and resized once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use avizor_base::{ImageSize, Preprocess, Purpose, Seed};

use super::LoadError;
use crate::Picture;
use crate::cache::{Known, PictureCache};
use crate::decode::{CutOff, DecodeError, DecodeOptions, Limits};
use crate::index::Index;
use crate::picture::byte_count;
use crate::picture_file;
use crate::prepare::prepare_into;
use crate::resize::Resizer;
use crate::scan::{ContentHash, Seen};
use crate::transforms::{Draw, Transforms};
use crate::twins::Thumbnail;

/// The samples of an index at a network's input size, before augmentation.
///
/// A picture is decoded and resized when it is first asked for (or offered by a scan) and then kept, as long as the
/// budget lasts; beyond it a picture is decoded each time, or read from the [`PictureCache`] where there is one. What is
/// kept never changes what is given.
#[derive(Debug)]
pub struct Prepared {
    index: Arc<Index>,
    preprocess: Preprocess,
    limits: Limits,
    kept: Vec<OnceLock<Box<[u8]>>>,
    budget_left: AtomicU64,
    copies: Option<(Seed, Transforms)>,
    remembered: Option<Remembered>,
}

/// What is known of the samples from disk.
#[derive(Debug)]
struct Remembered {
    cache: PictureCache,
    /// Of every row that was scanned.
    hashes: Vec<OnceLock<ContentHash>>,
}

/// What a thread needs to prepare pictures.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    pub(crate) bytes: Vec<u8>,
    slot: Vec<u8>,
    resizer: Resizer,
}

/// What a scan learnt of a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Learnt<'a> {
    pub(crate) hash: &'a ContentHash,
    pub(crate) seen: &'a Seen,
    /// `None` where nobody wants it.
    pub(crate) thumbnail: Option<&'a Thumbnail>,
}

impl Prepared {
    /// A budget that suits most computers: 2 GiB.
    pub const DEFAULT_BUDGET: u64 = 2 << 30;

    /// Nothing is read yet. `budget` in bytes: a picture takes `3 · height · width`.
    pub fn new(index: Arc<Index>, preprocess: Preprocess, limits: Limits, budget: u64) -> Self {
        let kept = (0..index.len()).map(|_| OnceLock::new()).collect();
        Self { index, preprocess, limits, kept, budget_left: AtomicU64::new(budget), copies: None, remembered: None }
    }

    /// Says how a copy of a picture differs from it, see [`filled_order`](super::filled_order): by these transforms, drawn once,
    /// by seed, sample and number of the copy. Without this, copies are the picture again.
    #[must_use]
    pub fn with_copies(self, seed: Seed, transforms: Transforms) -> Self {
        Self { copies: Some((seed, transforms)), ..self }
    }

    /// With pictures of earlier runs, where `cache` is of the same rule, and for later ones: a scan fills it.
    #[must_use]
    pub fn remembering(mut self, cache: PictureCache) -> Self {
        let hashes = (0..self.index.len()).map(|_| OnceLock::new()).collect();
        self.remembered = Some(Remembered { cache, hashes });
        self
    }

    /// Whether what a scan learns is remembered.
    pub(crate) fn remembers(&self) -> bool {
        self.remembered.is_some()
    }

    /// The samples.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// How a picture becomes a network's input.
    pub fn preprocess(&self) -> &Preprocess {
        &self.preprocess
    }

    /// Height and width of every picture here.
    pub fn size(&self) -> ImageSize {
        self.preprocess.size
    }

    /// How files are decoded to be looked at: over the preprocessing's background, what is cut off is refused.
    pub fn decode_options(&self) -> DecodeOptions {
        DecodeOptions { background: self.preprocess.background, limits: self.limits, cut_off: CutOff::Refuse }
    }

    /// How many pictures are kept.
    pub fn held(&self) -> usize {
        self.kept.iter().filter(|slot| slot.get().is_some()).count()
    }

    /// The picture of a row, at the network's size, not augmented.
    ///
    /// # Errors
    /// A file that cannot be read.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn picture(&self, row: usize) -> Result<Picture, LoadError> {
        let mut picture = Picture::filled(self.size(), [0; 3]);
        self.read_into(row, picture.pixels_mut(), &mut Bench::default())?;
        Ok(picture)
    }

    /// What an earlier run learnt of a row whose file has this content, within the limits.
    pub(crate) fn recall(&self, row: usize, hash: &ContentHash, bench: &mut Bench) -> Option<Known> {
        let Remembered { cache, hashes } = self.remembered.as_ref()?;
        let (known, pixels) = cache.find(hash, &mut bench.slot)?;
        let size = known.seen.facts.stored_size;
        self.limits.check_size(known.seen.facts.format, size.height().into(), size.width().into()).ok()?;
        // Set twice, it is the same.
        let _ = hashes[row].set(*hash);
        if self.kept[row].get().is_none() && self.reserve() {
            self.keep(row, pixels.into());
        }
        Some(known)
    }

    /// Takes a picture that was decoded with [`Prepared::decode_options`] from the bytes on the bench, if there is room, and what
    /// is known of it.
    pub(crate) fn offer(&self, row: usize, picture: &Picture, learnt: Learnt<'_>, bench: &mut Bench) {
        let has_room = self.kept[row].get().is_none() && self.reserve();
        if !has_room && !self.remembers() {
            return;
        }
        let pixels = if self.preprocess.jpeg.is_exact() {
            bench.resizer.resize(picture, &self.preprocess).into_pixels()
        } else {
            // Who looks at pictures sees them exactly; what is kept is what is loaded.
            let mut pixels = vec![0; byte_count(self.size())];
            if self.prepare_into(&mut pixels, bench).is_err() {
                // The picture can be decoded; so no picture can be loaded by this rule, and room does not matter.
                return;
            }
            pixels
        };
        if let (Some(Remembered { cache, hashes }), Some(thumbnail)) = (&self.remembered, learnt.thumbnail) {
            let known = Known { seen: *learnt.seen, thumbnail: thumbnail.clone() };
            cache.add(learnt.hash, &known, &pixels, &mut bench.slot);
            let _ = hashes[row].set(*learnt.hash);
        }
        if has_room {
            self.keep(row, pixels.into_boxed_slice());
        }
    }

    pub(super) fn read_into(&self, row: usize, output: &mut [u8], bench: &mut Bench) -> Result<(), LoadError> {
        if let Some(pixels) = self.kept[row].get() {
            output.copy_from_slice(pixels);
            return Ok(());
        }
        if !self.read_remembered(row, output, bench) {
            let path = self.index.path(row);
            let failed = |reason| LoadError::Picture { name: self.index.name(row).to_owned(), reason };
            let place = self.index.place(row, &path);
            picture_file::read(place, &self.limits, &mut bench.bytes).map_err(failed)?;
            self.prepare_into(output, bench).map_err(|reason| failed(reason.into()))?;
        }
        if self.reserve() {
            self.keep(row, output.into());
        }
        Ok(())
    }

    /// The picture whose file's bytes lie on the bench, at the network's size.
    fn prepare_into(&self, output: &mut [u8], bench: &mut Bench) -> Result<(), DecodeError> {
        prepare_into(&bench.bytes, &self.decode_options(), &self.preprocess, &mut bench.resizer, output)
    }

    /// What makes a copy of a row's picture: nothing for 0, which is the picture itself.
    pub(super) fn copy_draws(&self, row: usize, copy: u32) -> Vec<Draw> {
        let Some((seed, transforms)) = self.copies.as_ref().filter(|_| copy > 0) else { return Vec::new() };
        let mut stream = seed.stream(Purpose::Fill, [self.index.id(row).0, u64::from(copy), 0]);
        transforms.draw(&mut stream, self.size())
    }

    /// Whether the pixels of a row could be had from disk.
    fn read_remembered(&self, row: usize, output: &mut [u8], bench: &mut Bench) -> bool {
        let Some(Remembered { cache, hashes }) = &self.remembered else { return false };
        let found = hashes[row].get().and_then(|hash| cache.pixels(hash, &mut bench.slot));
        found.map(|pixels| output.copy_from_slice(pixels)).is_some()
    }

    fn picture_bytes(&self) -> u64 {
        3 * u64::from(self.size().area())
    }

    /// Takes a picture's bytes from the budget, if they are left.
    fn reserve(&self) -> bool {
        let bytes = self.picture_bytes();
        let take = |left: u64| left.checked_sub(bytes);
        self.budget_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn keep(&self, row: usize, pixels: Box<[u8]>) {
        if self.kept[row].set(pixels).is_err() {
            // Another thread was faster with the same pixels.
            self.budget_left.fetch_add(self.picture_bytes(), Ordering::Relaxed);
        }
    }
}
