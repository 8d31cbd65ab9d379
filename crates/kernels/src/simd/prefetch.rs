//! Asking for memory before it is used. Any address will do; where there is no such instruction, nothing happens.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};

/// Asks for a cache line that is going to be read.
#[inline(always)]
pub(crate) fn prefetch(line: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 machine has the instruction, and no address faults.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Asks for a cache line that is going to be written.
#[inline(always)]
pub(crate) fn prefetch_for_write(line: *mut f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 machine takes the instruction (as one that does nothing, if it is old), and no address faults.
    unsafe {
        _mm_prefetch::<_MM_HINT_ET0>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}
