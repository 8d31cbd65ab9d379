//! Train, val and test: stratified, seeded, by group, and stable when pictures are added.

mod error;
mod folders;
mod folds;
mod given;
mod leaks;
mod repair;
#[cfg(test)]
mod tests;
mod units;

use avizor_base::{ClassId, Note, Seed, Split};

use crate::index::Index;
use crate::scan::Scan;
use repair::repair;
use units::{Unit, Units};

pub use error::SplitError;
pub use folders::{FoldersError, Materialized, materialize};
pub use folds::Fold;

/// How samples are shared out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SplitOptions {
    /// Shares of train, val and test; they add up to 1, and train's is not 0. Recipe: `split.ratios`.
    pub ratios: [f64; 3],
    /// Another seed, another split. Recipe: `split.seed`.
    pub seed: Seed,
    /// Where val is one of several folds: which; `ratios` then say the size of test alone. Recipe: `split.folds`, `split.fold`.
    pub fold: Option<Fold>,
    /// Whether samples of one group stay on one side.
    pub keep_groups: bool,
    /// Whether samples with equal content stay on one side; needs a scan.
    pub keep_duplicates: bool,
    /// Whether, of parts that the source gives, what leaks is left out: from train what val or test has, from val what test
    /// has. Recipe: `split.repair`.
    pub repair: bool,
}

impl Default for SplitOptions {
    /// 0.70, 0.15, 0.15, seed 42, groups and duplicates kept together.
    fn default() -> Self {
        Self {
            ratios: [0.70, 0.15, 0.15],
            seed: Seed(42),
            fold: None,
            keep_groups: true,
            keep_duplicates: true,
            repair: false,
        }
    }
}

/// The part of each sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    parts: Vec<Option<Split>>,
    notes: Vec<Note>,
}

impl Partition {
    /// The part of a sample; `None` where it is not used, because it cannot be read.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn part(&self, row: usize) -> Option<Split> {
        self.parts[row]
    }

    /// The part of every sample.
    pub fn parts(&self) -> &[Option<Split>] {
        &self.parts
    }

    /// The rows of a part, rising.
    pub fn rows(&self, part: Split) -> Vec<u32> {
        let of_part = |&(_, have): &(usize, &Option<Split>)| *have == Some(part);
        self.parts.iter().enumerate().filter(of_part).map(|(row, _)| row as u32).collect()
    }

    /// How many samples of each class each part has: `[train, val, test]` by class.
    pub fn class_counts(&self, index: &Index) -> Vec<[usize; 3]> {
        let mut counts = vec![[0; 3]; index.classes().len()];
        for (row, part) in self.parts.iter().enumerate() {
            if let Some(part) = part {
                counts[index.label(row).index()][*part as usize] += 1;
            }
        }
        counts
    }

    /// What a person should know: which part was cut from which, which class is missing where.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// Shares the usable samples out.
///
/// Parts that the source gives are kept: with train and val alone, val serves as test and val is cut from train; with
/// train and test, val is cut from train. Otherwise every class is shared out by the ratios: its units (a group, equal
/// files, or a single sample) are ranked by a hash of seed and identity, and test, val and train are cut from that
/// ranking. So a new picture moves at most the units at the two cuts of its class. A class with three units or more
/// gets one in every part that has a share.
///
/// With a [`Fold`], all that is not test is train and val: a val that the source gives joins them.
///
/// Without a `scan` every sample counts as usable and equal files are not known.
///
/// # Errors
/// Ratios that are no shares, a class with a single picture where all parts are to be cut, a part that stays empty.
pub fn split(index: &Index, scan: Option<&Scan>, options: &SplitOptions) -> Result<Partition, SplitError> {
    check_ratios(options.ratios)?;
    let usable = |row: usize| scan.is_none_or(|scan| scan.is_usable(row));
    let given = given::plan(index, usable, options.ratios, options.fold);
    let mut parts = given.parts;
    if !given.pool.is_empty() {
        if given.all_from_pool {
            require_enough(index, &given.pool)?;
        }
        let units = Units::new(index, scan, options, &given.pool);
        let assigned = match options.fold {
            Some(fold) => folds::assign_fold(&units, index.classes().len(), given.ratios, fold),
            None => {
                let mut assigned = assign(&units, index.classes().len(), given.ratios);
                repair(&units, given.ratios, &mut assigned);
                assigned
            }
        };
        for (unit, part) in units.iter().zip(&assigned) {
            units.rows(unit).iter().for_each(|&row| parts[row as usize] = Some(*part));
        }
        require_parts(&units, given.ratios, &assigned)?;
    }
    let mut partition = Partition { parts, notes: given.notes };
    if options.repair {
        leaks::leave_out(index, scan, options, &mut partition)?;
    }
    let missing = missing_classes(index, &partition);
    partition.notes.extend(missing);
    Ok(partition)
}

fn check_ratios(ratios: [f64; 3]) -> Result<(), SplitError> {
    let sum: f64 = ratios.iter().sum();
    let fine = ratios.iter().all(|ratio| (0.0..=1.0).contains(ratio)) && (sum - 1.0).abs() < 1e-6 && ratios[0] > 0.0;
    if fine { Ok(()) } else { Err(SplitError::Ratios { ratios }) }
}

/// A class with one picture cannot be both learned and measured.
fn require_enough(index: &Index, pool: &[u32]) -> Result<(), SplitError> {
    let mut counts = vec![0; index.classes().len()];
    pool.iter().for_each(|&row| counts[index.label(row as usize).index()] += 1);
    match index.classes().ids().find(|class| counts[class.index()] < 2) {
        None => Ok(()),
        Some(class) => Err(SplitError::TooFew {
            class: index.classes().name(class).to_owned(),
            pictures: counts[class.index()],
            listed: index.class_counts()[class.index()],
        }),
    }
}

/// A unit's part by where the middle of its samples falls in the ranking of its class.
fn assign(units: &Units, classes: usize, ratios: [f64; 3]) -> Vec<Split> {
    let mut parts = vec![Split::Train; units.len()];
    let mut by_class: Vec<Vec<usize>> = vec![Vec::new(); classes];
    units.iter().enumerate().for_each(|(number, unit)| by_class[unit.class.index()].push(number));
    for ranked in &mut by_class {
        let samples: usize = ranked.iter().map(|&number| units.get(number).len()).sum();
        let [_, val, test] = ratios.map(|ratio| ratio * samples as f64);
        // A unit larger than a part's share would crowd it: it goes to the end, which is train.
        let room = [val, test].into_iter().filter(|&share| share > 0.0).fold(f64::INFINITY, f64::min).max(1.0);
        let key = |&number: &usize| {
            let unit: &Unit = units.get(number);
            (unit.len() as f64 > room, unit.rank, unit.key)
        };
        ranked.sort_by_key(key);
        let mut before = 0.0;
        for &number in ranked.iter() {
            let size = units.get(number).len() as f64;
            let middle = before + size / 2.0;
            before += size;
            parts[number] = match middle {
                middle if middle < test => Split::Test,
                middle if middle < test + val => Split::Val,
                _ => Split::Train,
            };
        }
    }
    parts
}

fn require_parts(units: &Units, ratios: [f64; 3], assigned: &[Split]) -> Result<(), SplitError> {
    for part in Split::ALL {
        if ratios[part as usize] > 0.0 && !assigned.contains(&part) {
            return Err(SplitError::EmptyPart { part, units: units.len() });
        }
    }
    Ok(())
}

fn missing_classes(index: &Index, partition: &Partition) -> Vec<Note> {
    let counts = partition.class_counts(index);
    let mut notes = Vec::new();
    for part in Split::ALL {
        let has_any = counts.iter().any(|counts| counts[part as usize] > 0);
        let missing: Vec<&str> = (index.classes().ids())
            .filter(|class: &ClassId| counts[class.index()][part as usize] == 0)
            .map(|class| index.classes().name(class))
            .collect();
        if has_any && !missing.is_empty() {
            let text = format!("no picture in {part} of {}", missing.join(", "));
            notes.push(Note { kind: "missing_class_in_split".into(), text });
        }
    }
    notes
}
