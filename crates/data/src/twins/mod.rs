//! Pictures that are one picture, edited: near-duplicates.
//!
//! Three steps, each dearer and surer than the one before. Every picture becomes a [`Thumbnail`]. The whole of each, in eight
//! orientations, is held against windows of all others by a short code of its low frequencies: those are proposals. Each of
//! them is aligned by an affine map, and what then lies on each other is compared in pixels and in detail.

mod align;
mod decide;
mod descriptor;
mod orientation;
mod parallel;
mod propose;
mod signs;
#[cfg(test)]
mod tests;
mod thumbnail;

use std::collections::BTreeMap;

use crate::joined::Joined;

use align::{Pyramid, align};
use parallel::map;
use propose::{Proposal, propose};

pub use decide::Likeness;
pub use orientation::Orientation;
pub use thumbnail::Thumbnail;

/// More pictures than this are not compared: their thumbnails alone take 256 MiB.
pub const MOST_PICTURES: usize = 1 << 16;

/// Raise it when the same thumbnails give other twins, or other likenesses, than before: a test tells.
pub(crate) const SEARCHES_AS: u32 = 3;

/// A set of more is no picture with its copies but a look that many have, as simple shapes and letters do.
const MOST_COPIES: usize = 40;
/// Where a larger share of the pictures is in such sets, smaller sets are of the same kind.
const MOST_LOOKALIKES: f64 = 0.05;

/// Near-duplicates among the pictures of an index.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Twins {
    pairs: Vec<Twin>,
    lookalikes: usize,
}

/// Two pictures that are one, edited or not.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Twin {
    /// The row of one.
    pub first: u32,
    /// The row of the other, a later one.
    pub second: u32,
    /// How one is laid for that it is the other.
    pub way: Orientation,
    /// How alike they are.
    pub likeness: Likeness,
}

impl Twins {
    /// Looks for them; `None` stands for what is no picture. The same at any number of threads.
    pub fn find(thumbnails: &[Option<Thumbnail>], threads: usize) -> Self {
        let proposals = propose(thumbnails, threads);
        let decided = map(proposals.len(), threads, |at| decide(thumbnails, &proposals[at]));
        let mut pairs: Vec<Twin> = decided.into_iter().flatten().collect();
        // Of two ways in which one is the other, the surer.
        pairs.sort_by(|a, b| {
            let blocks = b.likeness.blocks.total_cmp(&a.likeness.blocks);
            (a.first, a.second).cmp(&(b.first, b.second)).then(blocks).then(a.way.cmp(&b.way))
        });
        pairs.dedup_by_key(|twin| (twin.first, twin.second));
        Self { pairs, lookalikes: 0 }.without_lookalikes(thumbnails.len())
    }

    /// Leaves out what many pictures have in common.
    fn without_lookalikes(mut self, rows: usize) -> Self {
        let mut is_lookalike = vec![false; rows];
        for set in self.sets(rows).into_iter().filter(|set| set.len() > MOST_COPIES) {
            self.lookalikes += set.len();
            set.into_iter().for_each(|row| is_lookalike[row] = true);
        }
        let nothing_is_certain = self.lookalikes as f64 > MOST_LOOKALIKES * rows as f64;
        self.pairs.retain(|twin| !nothing_is_certain && !is_lookalike[twin.first as usize]);
        self
    }

    /// Pictures of which so many look alike that nothing is said of them: of sets of simple shapes, that is nearly all.
    pub fn lookalikes(&self) -> usize {
        self.lookalikes
    }

    /// All of them, by their rows.
    pub fn pairs(&self) -> &[Twin] {
        &self.pairs
    }

    /// Whether all rows are of an index of so many.
    pub(crate) fn are_among(&self, rows: usize) -> bool {
        self.pairs.iter().all(|twin| twin.first < twin.second && (twin.second as usize) < rows)
    }

    /// Rows that belong together, directly or by others, of an index of so many: each set rising, by its first row.
    pub fn sets(&self, rows: usize) -> Vec<Vec<usize>> {
        let mut joined = Joined::new(rows);
        self.pairs.iter().for_each(|twin| joined.join(twin.first, twin.second));
        let mut sets: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        (0..rows).for_each(|row| sets.entry(joined.root(row as u32)).or_default().push(row));
        sets.into_values().filter(|set| set.len() > 1).collect()
    }
}

fn decide(thumbnails: &[Option<Thumbnail>], proposal: &Proposal) -> Option<Twin> {
    let &Proposal { whole: part, way, other, window, .. } = proposal;
    let [first, second] = [part, other].map(|row| thumbnails[row as usize].as_ref());
    let sides = (first?.shorter_side(), second?.shorter_side());
    let first = Pyramid::new(&way.lay(first?.luma(), thumbnail::SIDE));
    let second = Pyramid::new(second?.luma());
    let aligned = align(&first, &second, window)?;
    let likeness = Likeness::of((&first, sides.0), (&second, sides.1), &aligned)?;
    let is_one = likeness.is_one_picture();
    is_one.then_some(Twin { first: part.min(other), second: part.max(other), way, likeness })
}
