use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::sync::Arc;

use avizor_base::{Filter, ImageSize, JpegDecoding};

use super::*;
use crate::loader::{LoaderOptions, plain_order};
use crate::tests_support::{JPEG, noise_png, png, write};
use crate::{DataOptions, Index, Loader, Prepared, Scan, scan};

const SIZE: u32 = 6;

struct Sandbox {
    folder: tempfile::TempDir,
    index: Arc<Index>,
}

impl Sandbox {
    /// Ten pictures, one of them twice, and a file that is none.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..10 {
            write(folder.path(), &format!("photos/a/{number}.png"), &noise_png(9 + number, 7, number));
        }
        write(folder.path(), "photos/b/again.png", &noise_png(9, 7, 0));
        write(folder.path(), "photos/b/text.png", b"<html>no</html>");
        let index = Arc::new(Index::read(&DataOptions::new(folder.path().join("photos"))).unwrap());
        Self { folder, index }
    }

    fn cache(&self, limit: u64) -> PictureCache {
        PictureCache::open(&self.folder.path().join("cache"), &rule(), limit).unwrap()
    }

    /// A scan through the cache, what it learnt, and the pictures that a loader then gives.
    fn read(&self, budget: u64) -> (Scan, Vec<u8>, usize) {
        let prepared = Prepared::new(Arc::clone(&self.index), rule(), Default::default(), budget);
        self.read_by(prepared.remembering(self.cache(1 << 30)))
    }

    fn read_by(&self, prepared: Prepared) -> (Scan, Vec<u8>, usize) {
        let scan = scan(&self.index, &prepared.decode_options(), 3, Some(&prepared), |_| {});
        let rows: Vec<u32> = (0..11).collect();
        let held = prepared.held();
        let options = LoaderOptions { batch: 11, epoch: 0, seed: avizor_base::Seed(1), threads: 2, first_batch: 0 };
        let mut loader = Loader::new(Arc::new(prepared), plain_order(&rows), None, options).unwrap();
        let images = loader.next_batch().unwrap().unwrap().images.clone();
        (scan, images, held)
    }

    fn without(&self) -> (Scan, Vec<u8>, usize) {
        self.read_by(Prepared::new(Arc::clone(&self.index), rule(), Default::default(), 1 << 20))
    }

    fn file(&self) -> PathBuf {
        let mut files: Vec<_> =
            fs::read_dir(self.folder.path().join("cache")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }
}

fn rule() -> Preprocess {
    Preprocess::new(ImageSize::new(SIZE, SIZE).unwrap())
}

#[test]
fn what_is_remembered_is_what_would_be_read() {
    let sandbox = Sandbox::new();
    let (fresh, images, _) = sandbox.without();
    for budget in [1 << 20, 0] {
        for _ in 0..2 {
            let (scan, remembered, held) = sandbox.read(budget);
            assert_eq!((scan, remembered), (fresh.clone(), images.clone()));
            assert_eq!(held, if budget == 0 { 0 } else { 11 });
        }
    }
    assert_eq!(sandbox.cache(1 << 30).len(), 10, "the same content is kept once, and what is no picture not at all");
}

#[test]
fn a_picture_is_found_by_its_content_not_its_name() {
    let sandbox = Sandbox::new();
    sandbox.read(0);
    let photos = sandbox.folder.path().join("photos");
    fs::rename(photos.join("a/3.png"), photos.join("a/2_moved.png")).unwrap();
    write(&photos, "a/4.png", &noise_png(20, 20, 77));
    let moved = Sandbox { index: Arc::new(Index::read(&DataOptions::new(&photos)).unwrap()), ..sandbox };
    let (fresh, images, _) = moved.without();
    let (scan, remembered, _) = moved.read(0);
    assert_eq!((scan, remembered), (fresh, images));
    assert_eq!(moved.cache(1 << 30).len(), 11);
}

#[test]
fn a_damaged_file_gives_nothing_that_is_wrong() {
    let sandbox = Sandbox::new();
    let (fresh, images, _) = sandbox.without();
    sandbox.read(0);
    let whole = fs::read(sandbox.file()).unwrap();
    let layout = Layout::new(rule().size);
    let first_slot = layout.slot(0) as usize;
    // In the header, the first entry, its checksum, what is known, thumbnail, pixels; then cut off at awkward places.
    for place in [0, 30, HEADER_BYTES, HEADER_BYTES + 40, first_slot, first_slot + 6, first_slot + 2000] {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        fs::write(sandbox.file(), &bytes).unwrap();
        let (scan, remembered, _) = sandbox.read(0);
        assert_eq!((scan, remembered), (fresh.clone(), images.clone()), "byte {place}");
    }
    for length in [0, 5, HEADER_BYTES, HEADER_BYTES + 7, HEADER_BYTES + 48, first_slot + 1, whole.len() - 1] {
        fs::write(sandbox.file(), &whole[..length]).unwrap();
        for _ in 0..2 {
            let (scan, remembered, _) = sandbox.read(0);
            assert_eq!((scan, remembered), (fresh.clone(), images.clone()), "{length} bytes");
        }
    }
}

#[test]
fn two_programs_add_to_one_file() {
    let sandbox = Sandbox::new();
    let (one, other) = (sandbox.cache(1 << 30), sandbox.cache(1 << 30));
    let known = |number: u8| {
        let picture = crate::Picture::filled(ImageSize::new(3, 3).unwrap(), [number; 3]);
        let facts = crate::probe(&png(3, 3, [number; 3]), &Default::default()).unwrap();
        Known { seen: crate::scan::Seen::of(&picture, facts), thumbnail: crate::twins::Thumbnail::of(&picture) }
    };
    let pixels = |number: u8| vec![number; 3 * (SIZE * SIZE) as usize];
    std::thread::scope(|scope| {
        for (cache, start) in [(&one, 0u8), (&other, 100)] {
            scope.spawn(move || {
                let mut bench = Vec::new();
                // Both add some of the same.
                for number in start.max(1)..=start.saturating_add(199) {
                    cache.add(&ContentHash([number; 32]), &known(number), &pixels(number), &mut bench);
                }
            });
        }
    });
    let both = sandbox.cache(1 << 30);
    assert_eq!(both.len(), 255);
    let mut bench = Vec::new();
    for number in 1..=255u8 {
        let (found, found_pixels) = both.find(&ContentHash([number; 32]), &mut bench).unwrap();
        assert_eq!((found, found_pixels), (known(number), pixels(number).as_slice()), "{number}");
    }
}

#[test]
fn a_full_cache_adds_nothing_and_forgets_what_was_used_longest_ago() {
    let sandbox = Sandbox::new();
    let slot = (ENTRY_BYTES + Layout::new(rule().size).slot_bytes()) as u64;
    let limit = HEADER_BYTES as u64 + 3 * slot + 10;
    let prepared = Prepared::new(Arc::clone(&sandbox.index), rule(), Default::default(), 0);
    let (scan, images, _) = sandbox.read_by(prepared.remembering(sandbox.cache(limit)));
    let (fresh, wanted, _) = sandbox.without();
    assert_eq!((scan, images), (fresh, wanted));
    assert_eq!(sandbox.cache(limit).len(), 3);
    let old = sandbox.file();
    OpenOptions::new().write(true).open(&old).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let other = Preprocess { filter: Filter::Lanczos, ..rule() };
    let folder = sandbox.folder.path().join("cache");
    PictureCache::open(&folder, &other, 1 << 30).unwrap();
    assert_eq!(held(&folder).files, 2, "each rule has a file of its own");
    let scaled = Preprocess { jpeg: JpegDecoding::Scaled, ..rule() };
    PictureCache::open(&folder, &scaled, 1 << 30).unwrap();
    assert_eq!(held(&folder).files, 3, "and so has each way to decode");
    PictureCache::open(&folder, &Preprocess { mean: [0.5; 3], ..other.clone() }, slot).unwrap();
    assert!(!old.exists(), "the other rule's file had to go");
    assert_eq!(held(&folder).files, 1, "mean and standard deviation are no part of the rule");
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    assert_eq!(remove(&folder).unwrap().files, 1);
    assert!(folder.join("notes.txt").exists());
}

#[test]
fn near_duplicates_are_searched_once() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path().join("cache");
    let mut scan = sandbox.without().0;
    scan.find_twins(2, None);
    let wanted = scan.twins().cloned();
    assert!(wanted.is_some());
    for _ in 0..2 {
        scan.find_twins(2, Some(&folder));
        assert_eq!(scan.twins().cloned(), wanted);
    }
    assert_eq!(held(&folder).files, 1);
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    for bytes in [&b"{"[..], br#"{"pairs":[{"first":1,"second":99,"way":{"transpose":false,"mirror":false,"upend":false},"likeness":{"pixels":1.0,"detail":1.0,"blocks":1.0,"textured":1.0}}],"lookalikes":0}"#] {
        fs::write(&file, bytes).unwrap();
        scan.find_twins(2, Some(&folder));
        assert_eq!(scan.twins().cloned(), wanted);
    }
}

#[test]
fn as_one_file_grows_others_make_room() {
    let sandbox = Sandbox::new();
    let block = Layout::new(rule().size).block_bytes();
    let folder = sandbox.folder.path().join("cache");
    fs::create_dir(&folder).unwrap();
    let old = folder.join("old.pictures");
    fs::write(&old, vec![0; 4096]).unwrap();
    OpenOptions::new().write(true).open(&old).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    // Both fit while the new one is empty, and no longer once it has its first block.
    let limit = block + HEADER_BYTES as u64 + 4095;
    let prepared = Prepared::new(Arc::clone(&sandbox.index), rule(), Default::default(), 0);
    let cache = sandbox.cache(limit);
    assert!(old.exists());
    sandbox.read_by(prepared.remembering(cache));
    assert!(!old.exists());
    assert_eq!(sandbox.cache(limit).len(), 10);
}

/// Whoever changes how pictures are read, resized or looked at sees this fail: old files then hold what is no longer true.
#[test]
fn what_pictures_are_read_as_has_a_number() {
    let mut bytes = Vec::new();
    let mut slots = xxhash_rust::xxh3::Xxh3::new();
    for file in [noise_png(31, 17, 1), noise_png(80, 120, 2), png(5, 9, [250, 3, 90]), JPEG.to_vec()] {
        let crate::Decoded { picture, facts } = crate::decode(&file, &Default::default()).unwrap();
        let thumbnail = crate::twins::Thumbnail::of(&picture);
        let known = Known { seen: crate::scan::Seen::of(&picture, facts), thumbnail };
        let pixels = crate::resize(&picture, &rule()).into_pixels();
        Slot::fill(&mut bytes, &known, &pixels).unwrap();
        slots.update(&bytes);
    }
    assert_eq!(
        (READS_AS, format!("{:032x}", slots.digest128()).as_str()),
        (1, "c18151da322d25368081805e6feac345"),
        "raise READS_AS, then write down both numbers"
    );
}
