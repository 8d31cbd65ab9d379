//! Cross-validation: what is not test falls into parts of equal size, each of which is val once.

use avizor_base::Split;

use super::units::Units;
use super::{assign, repair::repair};

/// One of the folds into which train and val are cut together. The test part is the same in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// How many there are; at least 2.
    pub of: usize,
    /// Which one is val, from 0.
    pub number: usize,
}

/// The part of each unit. Test is settled first, so that it does not depend on the fold; then the ranking of every class is
/// cut into folds. So a class is in as many folds as it has units, and no unit is val twice.
pub(super) fn assign_fold(units: &Units, classes: usize, ratios: [f64; 3], fold: Fold) -> Vec<Split> {
    let test_first = [1.0 - ratios[2], 0.0, ratios[2]];
    let mut parts = assign(units, classes, test_first);
    repair(units, test_first, &mut parts);
    let mut by_class: Vec<Vec<usize>> = vec![Vec::new(); classes];
    let rest = units.iter().enumerate().filter(|&(number, _)| parts[number] == Split::Train);
    rest.for_each(|(number, unit)| by_class[unit.class.index()].push(number));
    for (class, ranked) in by_class.iter_mut().enumerate() {
        ranked.sort_by_key(|&number| (units.get(number).rank, units.get(number).key));
        let samples: usize = ranked.iter().map(|&number| units.get(number).len()).sum();
        let mut before = 0;
        for &number in ranked.iter() {
            let size = units.get(number).len();
            // The fold in which the middle of the unit lies, in whole numbers.
            let place = (2 * before + size) * fold.of / (2 * samples);
            before += size;
            // Small classes do not all begin in the first fold.
            if (place + class) % fold.of == fold.number {
                parts[number] = Split::Val;
            }
        }
    }
    parts
}
