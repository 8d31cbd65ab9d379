//! Offsets of buffers in one arena.

use crate::state::LINE_WORDS;

/// How long a buffer is, and the first and last step during which it must not be disturbed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) words: usize,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Extent {
    fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// An offset for every extent, and the arena's length: largest first, each at the lowest place that is free as long as
/// it lives. Source: greedy by size, Pisarchyk and Lee 2020, arXiv:2001.03288.
pub(crate) fn arrange(extents: &[Extent]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..extents.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(extents[i].words), extents[i].first));
    let mut offsets = vec![0; extents.len()];
    let mut total = 0;
    // By offset: what was placed so far.
    let mut placed: Vec<usize> = Vec::with_capacity(extents.len());
    for i in order {
        let words = extents[i].words.next_multiple_of(LINE_WORDS);
        let mut offset = 0;
        for &other in placed.iter().filter(|&&other| extents[other].meets(&extents[i])) {
            if offset + words <= offsets[other] {
                break;
            }
            offset = offset.max(offsets[other] + extents[other].words.next_multiple_of(LINE_WORDS));
        }
        offsets[i] = offset;
        total = total.max(offset + words);
        let at = placed.partition_point(|&other| offsets[other] <= offset);
        placed.insert(at, i);
    }
    (offsets, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(words: usize, first: usize, last: usize) -> Extent {
        Extent { words, first, last }
    }

    #[test]
    fn what_lives_together_lies_apart_and_the_rest_shares() {
        let extents = [extent(100, 0, 1), extent(50, 1, 2), extent(100, 2, 3), extent(16, 0, 3), extent(0, 1, 1)];
        let (offsets, total) = arrange(&extents);
        assert_eq!(offsets[0], offsets[2]);
        assert_eq!(total, 112 + 64 + 16);
        for (i, a) in extents.iter().enumerate() {
            assert_eq!(offsets[i] % LINE_WORDS, 0);
            for (j, b) in extents.iter().enumerate().filter(|&(j, b)| i != j && b.words > 0 && a.words > 0) {
                let apart = offsets[i] + a.words <= offsets[j] || offsets[j] + b.words <= offsets[i];
                assert!(apart || !a.meets(b), "{i} and {j}");
            }
        }
    }
}
