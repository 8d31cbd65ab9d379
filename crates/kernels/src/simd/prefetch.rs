//! Asking for memory before it is used. Any address will do; where there is no such instruction, nothing happens.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};

/// Asks for a cache line that is going to be read.
#[inline(always)]
pub(crate) fn prefetch<T>(line: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 machine has the instruction, and no address faults.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Asks for a cache line that is going to be read soon, but not at once: the second cache has room for many.
#[inline(always)]
pub(crate) fn prefetch_soon<T>(line: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above.
    unsafe {
        _mm_prefetch::<_MM_HINT_T1>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Asks for a cache line that is going to be written.
#[inline(always)]
pub(crate) fn prefetch_for_write<T>(line: *mut T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 machine takes the instruction (as one that does nothing, if it is old), and no address faults.
    unsafe {
        _mm_prefetch::<_MM_HINT_ET0>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Asks for what lies some way behind a row of so many numbers that is about to be read, where rows are read one after
/// the other.
#[inline(always)]
pub(crate) fn prefetch_ahead<T>(row: *const T, len: usize) {
    /// Bytes of a cache line.
    const LINE: usize = 64;
    /// What memory brings in about twice the time that it takes for one line.
    const AHEAD: usize = 8 << 10;
    for line in (0..len).step_by(LINE / size_of::<T>()) {
        prefetch(row.wrapping_add(AHEAD / size_of::<T>() + line));
    }
}
