//! What stays together: groups, equal files, or single samples.

use std::cmp::Reverse;

use avizor_base::{ClassId, Purpose, SampleId};

use super::SplitOptions;
use crate::index::Index;
use crate::joined::Joined;
use crate::scan::Scan;

/// Samples that stay on one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    start: usize,
    end: usize,
    /// The class that most of its samples have; the one that is rarer in all, then the first, of equals.
    pub(super) class: ClassId,
    /// Place in the ranking of its class.
    pub(super) rank: u64,
    /// Identity: that of the group, or the smallest of its samples.
    pub(super) key: u64,
}

impl Unit {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// All units of a pool, in the order of their first row.
pub(super) struct Units {
    rows: Vec<u32>,
    labels: Vec<ClassId>,
    units: Vec<Unit>,
}

impl Units {
    pub(super) fn new(index: &Index, scan: Option<&Scan>, options: &SplitOptions, pool: &[u32]) -> Self {
        let mut joined = Joined::new(pool.len());
        if options.keep_groups {
            joined.join_equal(pool.iter().map(|&row| index.group(row as usize)));
        }
        if let Some(scan) = scan.filter(|_| options.keep_duplicates) {
            let seen = |row: &u32| scan.record(*row as usize).seen.as_ref().ok();
            joined.join_equal(pool.iter().map(|row| Some(seen(row)?.pixels)));
            let place = |row: u32| pool.binary_search(&row).ok();
            for twin in scan.twins().iter().flat_map(|twins| twins.pairs()) {
                if let (Some(first), Some(second)) = (place(twin.first), place(twin.second)) {
                    joined.join(first as u32, second as u32);
                }
            }
        }
        let mut order: Vec<(u32, u32)> = (0..pool.len()).map(|at| (joined.root(at as u32), at as u32)).collect();
        order.sort_unstable();
        let rows: Vec<u32> = order.iter().map(|&(_, at)| pool[at as usize]).collect();
        let labels: Vec<ClassId> = rows.iter().map(|&row| index.label(row as usize)).collect();
        let mut totals = vec![0; index.classes().len()];
        labels.iter().for_each(|label| totals[label.index()] += 1);
        let mut units = Vec::new();
        let mut start = 0;
        for members in order.chunk_by(|a, b| a.0 == b.0) {
            let end = start + members.len();
            let key = rows[start..end].iter().map(|&row| key(index, row as usize, options)).min().unwrap_or_default();
            let rank = options.seed.stream(Purpose::Split, [key, 0, 0]).next_u64();
            units.push(Unit { start, end, class: main_class(&labels[start..end], &totals), rank, key });
            start = end;
        }
        Self { rows, labels, units }
    }

    pub(super) fn len(&self) -> usize {
        self.units.len()
    }

    pub(super) fn get(&self, number: usize) -> &Unit {
        &self.units[number]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter()
    }

    pub(super) fn rows(&self, unit: &Unit) -> &[u32] {
        &self.rows[unit.start..unit.end]
    }

    /// The distinct classes of a unit, rising.
    pub(super) fn classes(&self, unit: &Unit) -> Vec<ClassId> {
        let mut classes = self.labels[unit.start..unit.end].to_vec();
        classes.sort_unstable();
        classes.dedup();
        classes
    }
}

/// A group's identity does not change when it gets another picture.
fn key(index: &Index, row: usize, options: &SplitOptions) -> u64 {
    match index.group(row).filter(|_| options.keep_groups) {
        Some(group) => SampleId::of(&format!("group:{group}")).0,
        None => index.id(row).0,
    }
}

/// The commonest class; of equals the rarer one in all, then the first.
fn main_class(labels: &[ClassId], totals: &[usize]) -> ClassId {
    // Sorted, not counted for each: all pictures may be of one unit.
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    let counts =
        sorted.chunk_by(|a, b| a == b).map(|same| (same.len(), Reverse(totals[same[0].index()]), Reverse(same[0])));
    counts.max().map_or(ClassId(0), |(_, _, Reverse(class))| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_of_a_unit_is_its_commonest_then_the_rarest_in_all() {
        let classes = |numbers: &[u32]| numbers.iter().map(|&number| ClassId(number)).collect::<Vec<_>>();
        let totals = [9, 5, 5, 70];
        for (labels, wanted) in [(&[][..], 0), (&[3], 3), (&[0, 3, 3], 3), (&[3, 0, 0, 3], 0), (&[2, 1, 0], 1)] {
            assert_eq!(main_class(&classes(labels), &totals), ClassId(wanted), "{labels:?}");
        }
        // Half a million equal pictures: counted for each of them, this would take minutes.
        let labels: Vec<ClassId> = (0..500_000).map(|at| ClassId(at % 3)).collect();
        assert_eq!(main_class(&labels, &totals), ClassId(1));
    }
}
