//! Classes that can be told without a look at the subject.
//!
//! What a file says beside its subject (its size in bytes, its dimensions, the colour of its border) is all that a vote of the
//! nearest neighbours is given. Where it is right much more often than the most frequent class, a network can be, too.

mod neighbours;

use std::collections::HashSet;

use avizor_base::{ClassId, Severity};
use avizor_metrics::{Level, wilson};

use super::Check;
use super::material::{Found, Material};
use crate::scan::{Record, Seen};
use neighbours::{Point, predicted};

pub(super) const CHECK: Check = Check {
    kind: "shortcut",
    severity: Severity::Warning,
    why: "a network may learn this instead of the subject: it is then right on these pictures and wrong on others",
    advice: "find out why the classes differ in it; gather all classes in the same way, or crop and scale pictures alike",
    find,
};

/// What is known of a picture beside its subject.
struct Clue {
    name: &'static str,
    of: fn(&Record, &Seen) -> Point,
    /// Whether values count by their rank among all, not by themselves.
    by_rank: bool,
}

const CLUES: [Clue; 3] = [
    Clue { name: "file size", of: |record, _| [record.bytes as f32, 0.0, 0.0], by_rank: true },
    Clue {
        name: "width and height",
        of: |_, seen| [seen.facts.stored_size.width() as f32, seen.facts.stored_size.height() as f32, 0.0],
        by_rank: true,
    },
    Clue { name: "border colour", of: |_, seen| seen.border.map(f32::from), by_rank: false },
];

/// Pictures looked at: for more, the answer would be the same to a percent or two.
const MOST: usize = 2_000;
/// A clue is told where it is right, with 95 % certainty, on more than this share of what the most frequent class leaves.
const GAIN: f64 = 0.3;
/// And for one class, where this share of its pictures is found, and this share of what is found is right.
const ONE_CLASS: f64 = 0.85;
/// Fewer pictures of a class say nothing of it.
const FEWEST: usize = 20;

fn find(material: &Material<'_>) -> Found {
    let mut found = Found::default();
    let rows = sample(material);
    let labels: Vec<ClassId> = rows.iter().map(|&row| material.index.label(row)).collect();
    let counts = counts(&labels, material.index.classes().len());
    let Some((most, &largest)) =
        counts.iter().enumerate().max_by_key(|&(class, count)| (*count, std::cmp::Reverse(class)))
    else {
        return found;
    };
    if largest == 0 || largest == rows.len() {
        return found;
    }
    let classes = material.index.classes();
    let majority = largest as f64 / rows.len() as f64;
    for clue in &CLUES {
        let points = points(material, &rows, clue);
        let answers = predicted(&points, &labels);
        let right = answers.iter().zip(&labels).filter(|(answer, label)| answer == label).count();
        let low = wilson(right as u64, rows.len() as u64, Level::default()).map_or(0.0, |interval| interval.low);
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        if low > majority + GAIN * (1.0 - majority) {
            let most = classes.name(ClassId(most as u32));
            let right = percent(right as f64 / rows.len() as f64);
            let detail = format!(
                "by {} alone, the class of {right} of the pictures can be told; always saying {most} is right for {}",
                clue.name,
                percent(majority)
            );
            found.add(Vec::new(), detail);
            continue;
        }
        for class in classes.ids() {
            if let Some((found_of_it, right_of_found)) = one_class(class, &answers, &labels) {
                let detail = format!(
                    "by {} alone, {} can be told from all others: {} of it are found so, and {} of what is found is right",
                    clue.name,
                    classes.name(class),
                    percent(found_of_it),
                    percent(right_of_found)
                );
                found.add(Vec::new(), detail);
            }
        }
    }
    found
}

/// Recall and precision of a class that a clue gives away.
fn one_class(class: ClassId, answers: &[ClassId], labels: &[ClassId]) -> Option<(f64, f64)> {
    let pairs = || answers.iter().zip(labels);
    let of_class = labels.iter().filter(|&&label| label == class).count();
    let told = answers.iter().filter(|&&answer| answer == class).count();
    let right = pairs().filter(|&(&answer, &label)| answer == class && label == class).count();
    let shares = (right as f64 / of_class as f64, right as f64 / told as f64);
    // Of more than half the pictures, saying nothing else is right that often.
    let is_part = of_class >= FEWEST && 2 * of_class <= labels.len();
    (is_part && told > 0 && shares.0 >= ONE_CLASS && shares.1 >= ONE_CLASS).then_some(shares)
}

/// Different readable pictures, in an order that has nothing to do with their names.
fn sample(material: &Material<'_>) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..material.index.len()).filter(|&row| material.scan.is_usable(row)).collect();
    rows.sort_unstable_by_key(|&row| material.index.id(row));
    let mut known = HashSet::new();
    rows.retain(|&row| material.scan.record(row).seen.as_ref().is_ok_and(|seen| known.insert(seen.pixels)));
    rows.truncate(MOST);
    rows
}

fn counts(labels: &[ClassId], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    labels.iter().for_each(|label| counts[label.index()] += 1);
    counts
}

fn points(material: &Material<'_>, rows: &[usize], clue: &Clue) -> Vec<Point> {
    let point = |&row: &usize| {
        let record = material.scan.record(row);
        // Only readable rows are here.
        record.seen.as_ref().map_or([0.0; 3], |seen| (clue.of)(record, seen))
    };
    let mut points: Vec<Point> = rows.iter().map(point).collect();
    if clue.by_rank {
        (0..3).for_each(|axis| rank(&mut points, axis));
    }
    points
}

/// Puts the place among all values in the place of a value; equal ones have one place.
fn rank(points: &mut [Point], axis: usize) {
    let mut values: Vec<f32> = points.iter().map(|point| point[axis]).collect();
    values.sort_unstable_by(f32::total_cmp);
    points.iter_mut().for_each(|point| point[axis] = values.partition_point(|&value| value < point[axis]) as f32);
}
