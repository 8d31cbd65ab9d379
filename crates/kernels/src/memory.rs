//! The memory that programs work in: a few large buffers, and views of them that are checked not to overlap.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::Range;
use std::ptr::NonNull;

/// Whole cache lines, so that no two threads write the same one by accident.
const LINE: usize = 64;
/// Large buffers start on a huge page, where the system offers them.
const HUGE_PAGE: usize = 2 << 20;

/// Index of a buffer in its [`Memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Space(pub u32);

/// Where a value lies: a range of f32 words of a buffer. Values of other types are cast (`bytemuck`), four bytes a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The buffer.
    pub space: Space,
    /// First word.
    pub offset: usize,
    /// Number of words.
    pub len: usize,
}

impl Place {
    fn range(self) -> Range<usize> {
        self.offset..self.offset + self.len
    }

    fn overlaps(self, other: Self) -> bool {
        self.space == other.space
            && self.len > 0
            && other.len > 0
            && self.offset < other.offset + other.len
            && other.offset < self.offset + self.len
    }
}

/// Buffers of zeroed f32 words, aligned to cache lines.
#[derive(Debug, Default)]
pub struct Memory {
    buffers: Vec<Buffer>,
}

impl Memory {
    /// Without buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a buffer of `len` zeroed words.
    pub fn add_space(&mut self, len: usize) -> Space {
        self.buffers.push(Buffer::zeroed(len));
        Space(self.buffers.len() as u32 - 1)
    }

    /// Makes a buffer at least `len` words long. What it held is kept.
    pub fn grow(&mut self, space: Space, len: usize) {
        let buffer = &mut self.buffers[space.0 as usize];
        if buffer.len < len {
            let mut larger = Buffer::zeroed(len);
            larger.as_mut_slice()[..buffer.len].copy_from_slice(buffer.as_slice());
            *buffer = larger;
        }
    }

    /// Words in a buffer.
    pub fn len(&self, space: Space) -> usize {
        self.buffers[space.0 as usize].len
    }

    /// Whether a buffer has no words.
    pub fn is_empty(&self, space: Space) -> bool {
        self.len(space) == 0
    }

    /// Bytes in all buffers together.
    pub fn bytes(&self) -> usize {
        self.buffers.iter().map(|buffer| buffer.len * 4).sum()
    }

    /// What lies at a place.
    ///
    /// # Panics
    /// When the place is outside its buffer.
    pub fn get(&self, place: Place) -> &[f32] {
        &self.buffers[place.space.0 as usize].as_slice()[place.range()]
    }

    /// What lies at a place, to be changed.
    ///
    /// # Panics
    /// When the place is outside its buffer.
    pub fn get_mut(&mut self, place: Place) -> &mut [f32] {
        &mut self.buffers[place.space.0 as usize].as_mut_slice()[place.range()]
    }

    /// Several places at once: those to read, and those to write. Reads may overlap each other.
    ///
    /// ```
    /// # use avizor_kernels::{Memory, Place};
    /// let mut memory = Memory::new();
    /// let space = memory.add_space(4);
    /// let at = |offset, len| Place { space, offset, len };
    /// let ([a, b], [sum]) = memory.access([at(0, 1), at(1, 1)], [at(3, 1)]);
    /// sum[0] = a[0] + b[0];
    /// ```
    ///
    /// # Panics
    /// When a place is outside its buffer, or one that is written overlaps another: a bug of whoever planned them.
    pub fn access<const R: usize, const W: usize>(
        &mut self,
        reads: [Place; R],
        writes: [Place; W],
    ) -> ([&[f32]; R], [&mut [f32]; W]) {
        for (i, &write) in writes.iter().enumerate() {
            for &other in reads.iter().chain(&writes[..i]) {
                assert!(!write.overlaps(other), "{write:?} is written while {other:?} is in use");
            }
        }
        let start = |place: Place| {
            let buffer = &self.buffers[place.space.0 as usize];
            assert!(
                place.offset <= buffer.len && place.len <= buffer.len - place.offset,
                "{place:?} of {}",
                buffer.len
            );
            // SAFETY: the offset was just found to be inside the buffer.
            unsafe { buffer.start.as_ptr().add(place.offset) }
        };
        // SAFETY: inside the buffer, which `self` keeps alive for as long as the slice borrows it; read-only, and no
        // place that is written overlaps it.
        let read = reads.map(|place| unsafe { std::slice::from_raw_parts(start(place).cast_const(), place.len) });
        // SAFETY: as above, and this place overlaps no other one of this call; `self` is borrowed mutably.
        let write = writes.map(|place| unsafe { std::slice::from_raw_parts_mut(start(place), place.len) });
        (read, write)
    }
}

/// One allocation. `start` is valid for `len` initialised words until it is dropped.
struct Buffer {
    start: NonNull<f32>,
    len: usize,
}

// SAFETY: it owns its words, as a `Box<[f32]>` does.
unsafe impl Send for Buffer {}
// SAFETY: shared access only reads.
unsafe impl Sync for Buffer {}

impl Buffer {
    fn zeroed(len: usize) -> Self {
        let layout = Self::layout(len);
        // SAFETY: the layout is at least one line long.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        ask_for_huge_pages(start, layout.size());
        Self { start: start.cast(), len }
    }

    fn layout(len: usize) -> Layout {
        let bytes = len.saturating_mul(4).saturating_add(LINE);
        let align = if bytes >= HUGE_PAGE { HUGE_PAGE } else { LINE };
        match Layout::from_size_align(bytes, align) {
            Ok(layout) => layout,
            Err(_) => panic!("{len} words are more than an address can reach"),
        }
    }

    fn as_slice(&self) -> &[f32] {
        // SAFETY: `len` initialised words, owned by `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: `len` initialised words, owned by `self`, which is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this very layout.
        unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.len)) }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} words)", self.len)
    }
}

/// Fewer misses of the address cache: 4 to 12 % of a training step. A refusal changes nothing but speed.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn ask_for_huge_pages(start: NonNull<u8>, bytes: usize) {
    unsafe extern "C" {
        fn madvise(start: *mut std::ffi::c_void, bytes: usize, advice: std::ffi::c_int) -> std::ffi::c_int;
    }
    const MADV_HUGEPAGE: std::ffi::c_int = 14;
    if bytes >= HUGE_PAGE {
        // SAFETY: an aligned range of our own allocation; this advice does not change what it holds.
        unsafe { madvise(start.as_ptr().cast(), bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE) };
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn ask_for_huge_pages(_start: NonNull<u8>, _bytes: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_keep_what_is_written_and_growing_keeps_it_too() {
        let mut memory = Memory::new();
        let (small, large) = (memory.add_space(8), memory.add_space(1 << 20));
        let at = |space, offset, len| Place { space, offset, len };
        memory.get_mut(at(small, 0, 2)).copy_from_slice(&[1.0, 2.0]);
        let ([from], [to, other]) = memory.access([at(small, 0, 2)], [at(small, 2, 2), at(large, 5, 1)]);
        to.copy_from_slice(from);
        other[0] = 7.0;
        memory.grow(small, 1 << 20);
        assert_eq!(memory.get(at(small, 0, 5)), [1.0, 2.0, 1.0, 2.0, 0.0]);
        assert_eq!(memory.get(at(large, 5, 1)), [7.0]);
        assert_eq!(memory.get(at(large, 0, 1)).as_ptr() as usize % LINE, 0);
    }

    #[test]
    #[should_panic(expected = "is written while")]
    fn what_is_written_is_nowhere_else_in_use() {
        let mut memory = Memory::new();
        let space = memory.add_space(8);
        let at = |offset, len| Place { space, offset, len };
        memory.access([at(0, 4)], [at(3, 2)]);
    }

    #[test]
    #[should_panic(expected = "of 8")]
    fn nothing_outside_a_buffer_is_reached() {
        let mut memory = Memory::new();
        let space = memory.add_space(8);
        memory.access([Place { space, offset: 7, len: 2 }], []);
    }
}
