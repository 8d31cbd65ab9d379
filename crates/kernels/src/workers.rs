//! Scratch memory of its own for every worker.

use crate::pool::Disjoint;

/// Whole cache lines, so that no two workers write the same one.
const LINE: usize = 16;

/// Equal parts of a workspace, one for each worker.
pub(crate) struct Workers<'w> {
    parts: Disjoint<'w, f32>,
    len: usize,
}

impl<'w> Workers<'w> {
    /// Numbers that the workspace must have.
    pub(crate) fn len(threads: usize, each: usize) -> usize {
        threads * each.next_multiple_of(LINE)
    }

    /// Parts of `each` numbers.
    pub(crate) fn new(workspace: &'w mut [f32], each: usize) -> Self {
        Self { parts: Disjoint::new(workspace), len: each.next_multiple_of(LINE) }
    }

    /// The part of a worker.
    ///
    /// # Safety
    /// While the result lives, this is not called again for the same worker.
    #[allow(clippy::mut_from_ref, reason = "parts of one mutable slice, kept apart by the callers' contract")]
    pub(crate) unsafe fn scratch(&self, worker: usize) -> &mut [f32] {
        // SAFETY: parts of different workers do not overlap; of the same one by the caller's promise.
        unsafe { self.parts.slice(worker * self.len, self.len) }
    }
}
