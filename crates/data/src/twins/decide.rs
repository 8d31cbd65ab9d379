//! Whether two pictures that lie on each other are one.
//!
//! That they correlate says little: all eyes, all cartoons on white, all portraits before one wall do. One picture has the
//! same detail everywhere, so the blocks of a grid are asked one by one, and each has one vote however strong its edges.

use super::align::{Aligned, FINE, GREY, Pyramid, align_largest, correlation};
use super::thumbnail::SIDE;

/// Places of a side of a block.
const BLOCK: usize = 8;
/// What is finer than this many places around is detail.
const AROUND: usize = 2;
/// Deviation of its detail, in grey levels, from which a block says something.
const TEXTURED: f32 = 0.75;
/// Shares of [`SIDE`] and [`FINE`] that the coarser of two pictures must have in pixels, to be compared at that size.
const ENOUGH_PIXELS: f32 = 0.9;

/// How alike two aligned pictures are.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Likeness {
    /// Correlation of their pixels, 32 of a side.
    pub pixels: f32,
    /// Correlation of their detail.
    pub detail: f32,
    /// Mean correlation of detail in the blocks that have some, at the largest size at which both have it.
    pub blocks: f32,
    /// Of all blocks, the share that has some.
    pub textured: f32,
}

impl Likeness {
    /// Limits that crops, turns, borders, text and compression of one picture pass, and pictures of one scene or kind do not.
    /// They were found on edited pictures of Caltech-101 and of cartoons, and on the eyes of ODIR-5K.
    pub fn is_one_picture(&self) -> bool {
        // Few blocks, as of a bright disc on black, must agree the more.
        let wanted = (0.69 + 2.0 * (0.7 - self.textured).max(0.0)).min(0.95);
        self.pixels >= 0.93 && self.detail >= 0.8 && self.textured >= 0.15 && self.blocks >= wanted
    }

    /// Of two pictures, the second of which has `second_side` pixels a side, the first `first_side`; `None` where they are
    /// not alike enough to go on.
    pub(super) fn of(first: (&Pyramid, usize), second: (&Pyramid, usize), aligned: &Aligned) -> Option<Self> {
        let (fine, other) = (detail(&aligned.first, &aligned.on, FINE), detail(&aligned.second, &aligned.on, FINE));
        let pixels = correlation(&aligned.first, &aligned.second, &aligned.on);
        let detail = correlation(&fine, &other, &aligned.on);
        if pixels < 0.9 || detail < 0.7 {
            return None;
        }
        // Where one picture has fewer pixels than are compared, the other has detail that it lacks.
        let have = (first.1.min(SIDE) as f32).min(second.1.min(SIDE) as f32 * aligned.map.scale());
        let (blocks, textured) = if have >= ENOUGH_PIXELS * SIDE as f32 {
            by_block(&align_largest(first.0, second.0, aligned.map)?, SIDE)
        } else if have >= ENOUGH_PIXELS * FINE as f32 {
            by_block(aligned, FINE)
        } else {
            return None;
        };
        Some(Self { pixels, detail, blocks, textured })
    }
}

/// Mean correlation of detail in the blocks that have some, and the share of those.
fn by_block(aligned: &Aligned, side: usize) -> (f32, f32) {
    let Aligned { first, second, on, .. } = aligned;
    let (a, b) = (detail(first, on, side), detail(second, on, side));
    let along = side / BLOCK;
    let (mut sum, mut textured) = (0.0, 0.0f32);
    for block in 0..along * along {
        let (top, left) = (block / along * BLOCK, block % along * BLOCK);
        let places = (0..BLOCK * BLOCK).map(|at| (top + at / BLOCK) * side + left + at % BLOCK);
        let places: Vec<usize> = places.filter(|&at| on[at]).collect();
        let energy = |values: &[f32]| places.iter().map(|&at| values[at] * values[at]).sum::<f32>();
        let least = (TEXTURED / GREY) * (TEXTURED / GREY) * places.len() as f32;
        if 2 * places.len() < BLOCK * BLOCK || energy(&a).max(energy(&b)) < least {
            continue;
        }
        let [x, y] = [&a, &b].map(|values| places.iter().map(|&at| values[at]).collect::<Vec<f32>>());
        textured += 1.0;
        sum += correlation(&x, &y, &[true; BLOCK * BLOCK][..places.len()]);
    }
    (sum / textured.max(1.0), textured / (along * along) as f32)
}

/// What differs from the mean of the places around.
fn detail(values: &[f32], on: &[bool], side: usize) -> Vec<f32> {
    let around = |at: usize| {
        let (y, x) = (at / side, at % side);
        let (mut sum, mut count) = (0.0, 0.0);
        for y in y.saturating_sub(AROUND)..(y + AROUND + 1).min(side) {
            for x in x.saturating_sub(AROUND)..(x + AROUND + 1).min(side) {
                if on[y * side + x] {
                    sum += values[y * side + x];
                    count += 1.0;
                }
            }
        }
        if count > 0.0 { sum / count } else { 0.0 }
    };
    (0..values.len()).map(|at| if on[at] { values[at] - around(at) } else { 0.0 }).collect()
}
