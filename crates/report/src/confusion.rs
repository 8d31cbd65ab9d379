//! Which classes are taken for which.

use avizor_store::ConfusionCounts;

/// Pictures of one class that were taken for another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    pub(crate) label: usize,
    pub(crate) prediction: usize,
    /// How often.
    pub(crate) count: u64,
    /// How often the other way round.
    pub(crate) reverse: u64,
    /// Of all pictures of the label.
    pub(crate) share: f64,
}

/// The pairs that are confused most often, at most `most`: by falling count, then share, then class order.
pub(crate) fn worst_pairs(confusion: &ConfusionCounts, most: usize) -> Vec<Pair> {
    let counts = confusion.counts();
    let mut pairs = Vec::new();
    for (label, row) in counts.iter().enumerate() {
        let support: u64 = row.iter().sum();
        for (prediction, &count) in row.iter().enumerate() {
            if count > 0 && prediction != label {
                let share = count as f64 / support as f64;
                pairs.push(Pair { label, prediction, count, reverse: counts[prediction][label], share });
            }
        }
    }
    // The sort is stable, so equal pairs stay in class order.
    pairs.sort_by(|a, b| b.count.cmp(&a.count).then(b.share.total_cmp(&a.share)));
    pairs.truncate(most);
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_by_count_then_share_then_order() {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let counts = vec![vec![9, 1, 1], vec![3, 2, 1], vec![0, 0, 5]];
        let confusion = ConfusionCounts::new(names, counts).unwrap();
        let pairs: Vec<_> =
            worst_pairs(&confusion, 3).iter().map(|p| (p.label, p.prediction, p.count, p.reverse)).collect();
        assert_eq!(pairs, [(1, 0, 3, 1), (1, 2, 1, 0), (0, 1, 1, 3)]);
    }
}
