//! Slices of equal length, cut alike and worked on by all threads.

use std::ops::Range;

use crate::Cpu;
use crate::pool::Disjoint;

/// Words in a part of an elementwise pass: three such streams fit into the second cache of every core, and the time
/// for one hides what it costs to take the next.
pub(crate) const PART: usize = 16 * 1024;

/// Cuts slices of equal length every `part` items and calls `each(range, parts)` for all cuts.
pub(crate) fn for_each_part<T: Send, const N: usize>(
    cpu: &Cpu,
    part: usize,
    slices: [&mut [T]; N],
    each: impl Fn(Range<usize>, [&mut [T]; N]) + Sync,
) {
    let len = slices.first().map_or(0, |slice| slice.len());
    assert!(slices.iter().all(|slice| slice.len() == len), "slices to be cut alike are equally long");
    let slices = slices.map(Disjoint::new);
    cpu.pool().run(len.div_ceil(part), &|number, _worker| {
        let range = number * part..((number + 1) * part).min(len);
        // SAFETY: every number comes once, parts of different numbers do not overlap, and the slices are different
        // mutable borrows.
        each(range.clone(), slices.each_ref().map(|slice| unsafe { slice.slice(range.start, range.len()) }));
    });
}

/// Calls `each(number, a, b)` for parts of two slices of different kinds: `part_a` items of one belong to `part_b`
/// items of the other, and both have equally many parts.
pub(crate) fn for_each_pair<A: Send, B: Send>(
    cpu: &Cpu,
    (a, part_a): (&mut [A], usize),
    (b, part_b): (&mut [B], usize),
    each: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    let parts = a.len().div_ceil(part_a);
    assert_eq!(parts, b.len().div_ceil(part_b), "slices have as many parts as each other");
    let (len_a, len_b) = (a.len(), b.len());
    let (a, b) = (Disjoint::new(a), Disjoint::new(b));
    cpu.pool().run(parts, &|number, _worker| {
        let (start_a, start_b) = (number * part_a, number * part_b);
        // SAFETY: every number comes once, and parts of different numbers do not overlap.
        let (a, b) =
            unsafe { (a.slice(start_a, part_a.min(len_a - start_a)), b.slice(start_b, part_b.min(len_b - start_b))) };
        each(number, a, b);
    });
}
