//! Which samples an epoch visits, in which order.

use avizor_base::{ClassId, Purpose, Seed};

use crate::index::Index;

/// One visit of a sample in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Visit {
    /// Row of the index.
    pub row: u32,
    /// 0 for the picture itself; else which of its changed copies, see [`filled_order`].
    pub copy: u32,
    /// How often the sample was visited before in this epoch: 0 unless a sampler draws it again.
    pub occurrence: u32,
}

/// Every row once, as given: for validation and test.
pub fn plain_order(rows: &[u32]) -> Vec<Visit> {
    rows.iter().map(|&row| Visit { row, copy: 0, occurrence: 0 }).collect()
}

/// Every row once, then copies of the pictures of each class that has fewer than `least` rows, so many that it has `least`.
///
/// All pictures of a class get as many copies, or one more: the last ones go to some of them, drawn by seed and sample alone. It is
/// the same in every epoch; what makes a copy another picture are the transforms of [`Prepared::with_copies`](super::Prepared).
pub fn filled_order(seed: Seed, rows: &[u32], index: &Index, least: usize) -> Vec<Visit> {
    let mut visits = plain_order(rows);
    for mut of_class in by_class(rows, index.labels()) {
        of_class.sort_by_cached_key(|&row| {
            let sample = index.id(row as usize).0;
            (seed.stream(Purpose::Fill, [sample, 0, 0]).next_u64(), sample)
        });
        let (has, missing) = (of_class.len(), least.saturating_sub(of_class.len()));
        let copy =
            |number: usize| Visit { row: of_class[number % has], copy: (number / has) as u32 + 1, occurrence: 0 };
        visits.extend((0..missing).map(copy));
    }
    visits
}

/// The same visits, shuffled by seed and epoch.
pub fn shuffled_order(seed: Seed, epoch: u64, mut visits: Vec<Visit>) -> Vec<Visit> {
    seed.stream(Purpose::Order, [epoch, 0, 0]).shuffle(&mut visits);
    visits
}

/// As many visits as rows, drawn with replacement so that every class is equally likely: each sample's weight is one
/// over its class's count, as with PyTorch's `WeightedRandomSampler`.
///
/// `labels` are those of the whole index, by row.
pub fn weighted_order(seed: Seed, epoch: u64, rows: &[u32], labels: &[ClassId]) -> Vec<Visit> {
    let by_class = by_class(rows, labels);
    let mut stream = seed.stream(Purpose::Sampler, [epoch, 0, 0]);
    let mut drawn = vec![0; rows.iter().max().map_or(0, |&most| most as usize + 1)];
    let mut draw = |_| {
        let class = &by_class[stream.below(by_class.len() as u64) as usize];
        let row = class[stream.below(class.len() as u64) as usize];
        let occurrence = drawn[row as usize];
        drawn[row as usize] += 1;
        Visit { row, copy: 0, occurrence }
    };
    (0..rows.len()).map(&mut draw).collect()
}

/// The rows of each class that has some, in the order of classes.
fn by_class(rows: &[u32], labels: &[ClassId]) -> Vec<Vec<u32>> {
    let mut by_class: Vec<Vec<u32>> = Vec::new();
    for &row in rows {
        let class = labels[row as usize].index();
        if by_class.len() <= class {
            by_class.resize(class + 1, Vec::new());
        }
        by_class[class].push(row);
    }
    by_class.retain(|rows| !rows.is_empty());
    by_class
}

/// Whether the largest class has at least `threshold` times the samples of the smallest. Classes without a sample do
/// not count.
pub fn is_imbalanced(class_counts: &[usize], threshold: f64) -> bool {
    let present = || class_counts.iter().copied().filter(|&count| count > 0);
    match (present().max(), present().min()) {
        (Some(most), Some(least)) => most as f64 >= threshold * least as f64,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_visits_every_row_once_and_changes_with_the_epoch() {
        let rows: Vec<u32> = (0..50).map(|n| n * 2).collect();
        let shuffled = |epoch| shuffled_order(Seed(1), epoch, plain_order(&rows));
        let (first, second) = (shuffled(0), shuffled(1));
        assert_ne!(first, second);
        assert_eq!(first, shuffled(0));
        let mut visited: Vec<u32> = first.iter().map(|visit| visit.row).collect();
        visited.sort_unstable();
        assert_eq!(visited, rows);
    }

    #[test]
    fn a_weighted_order_evens_classes_out_and_counts_occurrences() {
        // 900 of class 0, 100 of class 2, none of class 1.
        let labels: Vec<ClassId> = (0..1000).map(|row| ClassId(if row < 900 { 0 } else { 2 })).collect();
        let rows: Vec<u32> = (0..1000).collect();
        let visits = weighted_order(Seed(3), 5, &rows, &labels);
        assert_eq!(visits.len(), 1000);
        let rare = visits.iter().filter(|visit| visit.row >= 900).count() as f64;
        // Five standard deviations of a binomial with p = 1/2.
        assert!((rare - 500.0).abs() < 5.0 * 250f64.sqrt(), "{rare}");
        let distinct: std::collections::HashSet<_> = visits.iter().collect();
        assert_eq!(distinct.len(), visits.len(), "a sample's visits differ in their occurrence");
        assert!(weighted_order(Seed(3), 5, &[], &labels).is_empty());
    }

    #[test]
    fn imbalance_is_told_at_the_threshold() {
        for (counts, threshold, wanted) in
            [(&[10, 20][..], 2.0, true), (&[11, 20], 2.0, false), (&[0, 5, 5], 2.0, false), (&[], 2.0, false)]
        {
            assert_eq!(is_imbalanced(counts, threshold), wanted, "{counts:?}");
        }
    }
}
