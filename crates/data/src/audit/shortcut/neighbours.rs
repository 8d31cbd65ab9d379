//! The class of a point by those of its nearest neighbours, cross-validated.

use avizor_base::ClassId;

/// Up to three numbers of a picture.
pub(super) type Point = [f32; 3];

/// How many neighbours vote; those as far away as the last of them vote too.
const NEIGHBOURS: usize = 9;
/// Each point is answered by those of the other folds.
const FOLDS: u32 = 5;

/// What each point's neighbours say; of classes with equal votes the one with more points, then the first.
pub(super) fn predicted(points: &[Point], labels: &[ClassId]) -> Vec<ClassId> {
    let classes = labels.iter().map(|label| label.index() + 1).max().unwrap_or(0);
    let mut totals = vec![0u32; classes];
    labels.iter().for_each(|label| totals[label.index()] += 1);
    let folds = folds(labels, &totals);
    let mut distances = Vec::with_capacity(points.len());
    let mut votes = vec![0u32; classes];
    let mut answer = |at: usize| {
        distances.clear();
        let others = (0..points.len()).filter(|&other| folds[other] != folds[at]);
        distances.extend(others.map(|other| (distance(&points[at], &points[other]), labels[other])));
        let Some(last) = distances.len().min(NEIGHBOURS).checked_sub(1) else { return labels[at] };
        let limit = distances.select_nth_unstable_by(last, |a, b| a.0.total_cmp(&b.0)).1.0;
        votes.fill(0);
        distances.iter().filter(|near| near.0 <= limit).for_each(|near| votes[near.1.index()] += 1);
        let best = (0..classes).max_by_key(|&class| (votes[class], totals[class], std::cmp::Reverse(class)));
        ClassId(best.unwrap_or(0) as u32)
    };
    (0..points.len()).map(&mut answer).collect()
}

/// By turns, as if the points stood class by class: each fold has its share of every class.
fn folds(labels: &[ClassId], totals: &[u32]) -> Vec<u32> {
    let starts = totals.iter().scan(0, |start, total| Some(std::mem::replace(start, *start + total)));
    let mut next: Vec<u32> = starts.collect();
    let fold = |label: &ClassId| {
        let next = &mut next[label.index()];
        *next += 1;
        (*next - 1) % FOLDS
    };
    labels.iter().map(fold).collect()
}

fn distance(a: &Point, b: &Point) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(classes: &[u32]) -> Vec<ClassId> {
        classes.iter().map(|&class| ClassId(class)).collect()
    }

    #[test]
    fn clusters_are_told_and_nothing_is_learned_from_the_point_itself() {
        let points: Vec<Point> = (0..60).map(|n| [if n % 2 == 0 { 0.0 } else { 100.0 } + n as f32, 0.0, 0.0]).collect();
        let truth = labels(&(0..60).map(|n| n % 2).collect::<Vec<_>>());
        let right = predicted(&points, &truth).iter().zip(&truth).filter(|(a, b)| a == b).count();
        assert!(right > 50, "{right}");
        // One class of its own for each point: a point that answered itself would be right.
        let alone = labels(&(0..60).collect::<Vec<_>>());
        assert!(predicted(&points, &alone).iter().zip(&alone).all(|(a, b)| a != b));
    }

    #[test]
    fn equal_points_say_the_most_frequent_class() {
        let truth = labels(&[0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1]);
        assert!(predicted(&[[3.0; 3]; 12], &truth).iter().all(|&answer| answer == ClassId(1)));
        assert!(predicted(&[], &[]).is_empty());
        assert_eq!(predicted(&[[1.0; 3]], &labels(&[0])), labels(&[0]));
    }
}
