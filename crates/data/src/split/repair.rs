//! A sample of every class in every part, where there are enough units.

use avizor_base::{ClassId, Split};

use super::units::Units;

/// For every class and part without it: the class's smallest unit of the part that has most of them moves there, if
/// the class has as many units as there are parts and no class thereby vanishes from where it was.
pub(super) fn repair(units: &Units, ratios: [f64; 3], assigned: &mut [Split]) {
    let parts: Vec<Split> = Split::ALL.into_iter().filter(|&part| ratios[part as usize] > 0.0).collect();
    let mut of_class: Vec<Vec<usize>> = Vec::new();
    let classes: Vec<Vec<ClassId>> = units.iter().map(|unit| units.classes(unit)).collect();
    for (number, classes) in classes.iter().enumerate() {
        for class in classes {
            if of_class.len() <= class.index() {
                of_class.resize(class.index() + 1, Vec::new());
            }
            of_class[class.index()].push(number);
        }
    }
    let mut counts: Vec<[usize; 3]> = vec![[0; 3]; of_class.len()];
    for (number, classes) in classes.iter().enumerate() {
        classes.iter().for_each(|class| counts[class.index()][assigned[number] as usize] += 1);
    }
    for class in 0..of_class.len() {
        if of_class[class].len() < parts.len() {
            continue;
        }
        for &part in &parts {
            if counts[class][part as usize] > 0 {
                continue;
            }
            let spare = |number: &&usize| {
                let from = assigned[**number] as usize;
                classes[**number].iter().all(|class| counts[class.index()][from] >= 2)
            };
            let most_here = |&&number: &&usize| {
                let unit = units.get(number);
                let here = counts[class][assigned[number] as usize];
                (std::cmp::Reverse(here), unit.len(), unit.rank, unit.key)
            };
            let Some(&chosen) = of_class[class].iter().filter(spare).min_by_key(most_here) else { continue };
            let from = std::mem::replace(&mut assigned[chosen], part);
            for class in &classes[chosen] {
                counts[class.index()][from as usize] -= 1;
                counts[class.index()][part as usize] += 1;
            }
        }
    }
}
