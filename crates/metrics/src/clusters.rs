//! Which samples belong together when resampling.

use std::collections::BTreeMap;

/// Samples cut into clusters that are drawn as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clusters {
    /// The cluster of each sample, numbered from 0 in order of first appearance.
    of_sample: Vec<u32>,
    count: usize,
}

impl Clusters {
    /// Every sample by itself.
    pub(crate) fn single(samples: usize) -> Self {
        Self { of_sample: (0..samples as u32).collect(), count: samples }
    }

    /// The samples of equal group ids together, whatever the ids.
    pub(crate) fn grouped(groups: &[u32]) -> Self {
        let mut numbers = BTreeMap::new();
        let number = |&group| {
            let next = numbers.len() as u32;
            *numbers.entry(group).or_insert(next)
        };
        Self { of_sample: groups.iter().map(number).collect::<Vec<u32>>(), count: numbers.len() }
    }

    /// The cluster of each sample, below [`Self::count`].
    pub(crate) fn of_sample(&self) -> &[u32] {
        &self.of_sample
    }

    /// How many clusters there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether no two samples share a cluster.
    pub(crate) fn are_single(&self) -> bool {
        self.count == self.of_sample.len()
    }

    /// For each class, in how many clusters a sample is labelled with it. A sample has one or more `labels`.
    pub(crate) fn holding(&self, labels: &[&[u32]], classes: usize) -> Vec<u64> {
        let mut pairs: Vec<(u32, u32)> =
            labels.iter().flat_map(|column| column.iter().copied().zip(self.of_sample.iter().copied())).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut counts = vec![0; classes];
        for (class, _) in pairs {
            counts[class as usize] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_numbered_by_first_appearance() {
        let clusters = Clusters::grouped(&[7, u32::MAX, 7, 0]);
        assert_eq!((clusters.of_sample(), clusters.count()), (&[0, 1, 0, 2][..], 3));
        assert!(!clusters.are_single());
        assert_eq!(Clusters::grouped(&[9, 3, 5]), Clusters::single(3));
    }

    #[test]
    fn a_class_is_counted_once_a_cluster() {
        let clusters = Clusters::grouped(&[0, 0, 1, 2]);
        assert_eq!(clusters.holding(&[&[0, 0, 0, 1]], 3), [2, 1, 0]);
        assert_eq!(clusters.holding(&[&[0, 0, 0, 1], &[0, 1, 1, 1]], 3), [2, 3, 0]);
    }
}
