//! Sums down the columns of a matrix, the same bits for every number of threads.
//!
//! Rows are cut into chunks by shape alone. A chunk sums [`BLOCK`] rows at a time in f32, blocks in f64; chunks are
//! added in their order. So the error of a sum is that of 32 additions in f32, whatever the number of rows.

use std::ops::Range;

use crate::floats::widen;
use crate::parts::PART;
use crate::{Cpu, Element};

/// Rows that are summed in f32 before they join an f64 sum.
pub(crate) const BLOCK: usize = 32;
/// At most so many chunks: enough to share among threads, few to add at the end.
const MOST_CHUNKS: usize = 64;
/// Sums that one task adds over the chunks.
const ADDED_AT_ONCE: usize = 1024;

/// How the rows of a matrix are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowChunks {
    rows: usize,
    per_chunk: usize,
}

impl RowChunks {
    pub(crate) fn new(rows: usize, columns: usize) -> Self {
        let per_chunk = PART.div_ceil(columns.max(1)).max(rows.div_ceil(MOST_CHUNKS)).next_multiple_of(BLOCK);
        Self { rows, per_chunk }
    }

    pub(crate) fn count(self) -> usize {
        self.rows.div_ceil(self.per_chunk)
    }

    pub(crate) fn range(self, number: usize) -> Range<usize> {
        number * self.per_chunk..((number + 1) * self.per_chunk).min(self.rows)
    }

    /// Words of workspace for `sums` sums; two more than they take, to reach an address that suits an f64.
    pub(crate) fn workspace(self, sums: usize) -> usize {
        2 * self.count().max(1) * sums + 2
    }

    /// Calls `add(rows, sums)` for every chunk with sums that are zero, and returns what all chunks add up to.
    pub(crate) fn sum<'w>(
        self,
        cpu: &Cpu,
        sums: usize,
        workspace: &'w mut [f32],
        add: impl Fn(Range<usize>, &mut [f64]) + Sync,
    ) -> &'w [f64] {
        let partial = self.partial_sums(cpu, sums, workspace, add);
        add_up(cpu, sums, partial)
    }

    /// As [`sum`](Self::sum), and returns the sums of every chunk.
    pub(crate) fn partial_sums<'w>(
        self,
        cpu: &Cpu,
        sums: usize,
        workspace: &'w mut [f32],
        add: impl Fn(Range<usize>, &mut [f64]) + Sync,
    ) -> &'w mut [f64] {
        let partial = &mut as_f64(workspace)[..self.count().max(1) * sums];
        if self.rows == 0 || sums == 0 {
            partial.fill(0.0);
            return partial;
        }
        cpu.pool().for_each_chunk(partial, sums, |number, partial| {
            partial.fill(0.0);
            add(self.range(number), partial);
        });
        partial
    }
}

/// What chunks of `sums` sums add up to, in their order; it takes the place of the first.
pub(crate) fn add_up<'s>(cpu: &Cpu, sums: usize, partial: &'s mut [f64]) -> &'s [f64] {
    let (total, rest) = partial.split_at_mut(sums);
    cpu.pool().for_each_chunk(total, ADDED_AT_ONCE, |number, total| {
        for chunk in rest.chunks_exact(sums.max(1)) {
            for (total, part) in total.iter_mut().zip(&chunk[number * ADDED_AT_ONCE..]) {
                *total += part;
            }
        }
    });
    total
}

/// The f64 that fit into words, from the first suitable address on.
pub(crate) fn as_f64(words: &mut [f32]) -> &mut [f64] {
    bytemuck::pod_align_to_mut(words).1
}

/// Adds `L` f32 sums of a block to their f64 sums.
#[inline(always)]
pub(crate) fn join<const L: usize>(totals: &mut [f64], block: &[f32; L]) {
    for (total, part) in totals.iter_mut().zip(block) {
        *total += f64::from(*part);
    }
}

/// The `L` words of a row from `column` on.
#[inline(always)]
pub(crate) fn lanes<E: Element, const L: usize>(row: &[E], column: usize) -> [f32; L] {
    let mut lanes = [0.0; L];
    widen(&row[column..column + L], &mut lanes);
    lanes
}

/// Puts `L` words into a row from `column` on.
#[inline(always)]
pub(crate) fn put_lanes<E: Element, const L: usize>(lanes: &[f32; L], row: &mut [E], column: usize) {
    for (to, lane) in row[column..column + L].iter_mut().zip(lanes) {
        *to = E::from_f32(*lane);
    }
}
