//! Parts that the source gives, and what is left to share out.

use avizor_base::{Note, Split};

use super::Fold;
use crate::index::Index;

/// What is settled before anything is drawn.
pub(super) struct Given {
    pub(super) parts: Vec<Option<Split>>,
    /// Usable rows that are to be shared out, rising.
    pub(super) pool: Vec<u32>,
    /// Shares of the pool.
    pub(super) ratios: [f64; 3],
    /// Whether nothing was given: the pool is everything.
    pub(super) all_from_pool: bool,
    pub(super) notes: Vec<Note>,
}

pub(super) fn plan(index: &Index, usable: impl Fn(usize) -> bool, ratios: [f64; 3], fold: Option<Fold>) -> Given {
    let given: Vec<Option<Split>> = (0..index.len()).map(|row| index.given(row)).collect();
    let has = |part| given.contains(&Some(part));
    let usable_rows = || (0..index.len()).filter(|&row| usable(row));
    // Val's share of what is not test.
    let val = match fold {
        Some(fold) => 1.0 / fold.of as f64,
        None if ratios[1] > 0.0 => ratios[1] / (ratios[0] + ratios[1]),
        None => 0.0,
    };
    let from_train = [1.0 - val, val, 0.0];
    // In cross-validation a given val is as good as train, where it need not serve as test.
    let joins = fold.is_some() && has(Split::Val) && has(Split::Test);
    let presence = (has(Split::Val) && !joins, has(Split::Test));
    let (ratios, said) = match presence {
        (false, false) => (ratios, None),
        (true, false) => (from_train, Some(("val_is_test", "val serves as test; choices are made on a part of train"))),
        (false, true) if joins => {
            (from_train, Some(("val_from_train", "val and train are one: choices are made on a part")))
        }
        (false, true) => (from_train, Some(("val_from_train", "there is no val: choices are made on a part of train"))),
        (true, true) => ([1.0, 0.0, 0.0], None),
    };
    let mut parts = vec![None; index.len()];
    let mut pool = Vec::new();
    for row in usable_rows() {
        match settled(given[row], presence) {
            Some(part) => parts[row] = Some(part),
            None => pool.push(row as u32),
        }
    }
    let share = |text: &str| format!("{text} ({:.0} % of train, {} pictures in all)", 100.0 * val, pool.len());
    let notes = said.map(|(kind, text)| Note { kind: kind.into(), text: share(text) }).into_iter().collect();
    let all_from_pool = !has(Split::Val) && !has(Split::Test);
    Given { parts, pool, ratios, all_from_pool, notes }
}

/// The part of a sample that need not be drawn, by whether the source gives val and test.
fn settled(given: Option<Split>, presence: (bool, bool)) -> Option<Split> {
    match (presence, given) {
        ((false, false), _) => None,
        ((true, false), part) => part.filter(|&part| part == Split::Val).map(|_| Split::Test),
        ((false, true), part) => part.filter(|&part| part == Split::Test),
        // Samples of no part join train.
        ((true, true), part) => Some(part.unwrap_or(Split::Train)),
    }
}
