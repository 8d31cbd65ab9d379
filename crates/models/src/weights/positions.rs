//! Positions of a transformer, brought to pictures of another size.
//!
//! What is learnt of a place is learnt for the grid of the pictures that were trained on. On another grid every place takes the
//! bicubic mean of its neighbours there, as timm's `resample_abs_pos_embed` does; what stands before the grid, the class
//! token's, stays.

use std::fmt;

use avizor_engine::{DiskLayout, Parameter};

/// The parameter of bicubic interpolation: Keys 1981, doi:10.1109/TASSP.1981.1163711. PyTorch takes it where it antialiases,
/// and -0.75 elsewhere.
const A: f64 = -0.5;
/// Places to either side, where nothing is made smaller.
const SUPPORT: f64 = 2.0;

/// Positions that were resampled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resampled {
    /// The parameter.
    pub name: String,
    /// Height and width of the file's grid.
    pub from: [usize; 2],
    /// Height and width of the network's.
    pub to: [usize; 2],
}

impl fmt::Display for Resampled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, from, to } = self;
        write!(f, "{name} resampled from a grid of {}×{} to {}×{}", from[0], from[1], to[0], to[1])
    }
}

impl Resampled {
    /// What is to be done with a file's tensor of this shape: nothing where it has as many places as the parameter, or is no
    /// square grid of places of as many numbers. A file does not say its grid, so one of as many places is taken as it is.
    pub(super) fn of(parameter: &Parameter, shape: &[usize]) -> Option<Self> {
        let DiskLayout::Grid { grid: to } = parameter.spec.layout else { return None };
        let (&[1, have, numbers], &[1, want, expected]) = (shape, &*parameter.shape) else { return None };
        let side = have.checked_sub(1)?.isqrt();
        let is_square = side > 0 && side * side + 1 == have;
        let differs = have != want && numbers == expected && numbers > 0;
        (differs && is_square).then(|| Self { name: parameter.name.clone(), from: [side; 2], to })
    }

    /// The numbers of the network's grid from those of the file's.
    pub(super) fn apply(&self, values: &[f32]) -> Vec<f32> {
        let Self { from, to, .. } = *self;
        let numbers = values.len() / (1 + from[0] * from[1]);
        let (before, grid) = values.split_at(numbers);
        // Along the rows first, as PyTorch does; sums of a few numbers in f64.
        let mut narrow = Vec::with_capacity(from[0] * to[1] * numbers);
        let columns = contributions(from[1], to[1]);
        for row in grid.chunks_exact(from[1] * numbers) {
            narrow.extend(columns.iter().flat_map(|of| mixed(row, numbers, of)));
        }
        let mut resampled = before.to_vec();
        for of in &contributions(from[0], to[0]) {
            resampled.extend(mixed(&narrow, to[1] * numbers, of));
        }
        resampled
    }
}

/// The first of some neighbours, and the share of each.
type Contribution = (usize, Vec<f64>);

/// The sum of stretches of `len` numbers, each times its share.
fn mixed(values: &[f32], len: usize, (first, shares): &Contribution) -> Vec<f32> {
    let mut sums = vec![0.0f64; len];
    for (stretch, share) in values[first * len..].chunks_exact(len).zip(shares) {
        sums.iter_mut().zip(stretch).for_each(|(sum, &value)| *sum += share * f64::from(value));
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

/// What each of `to` places along an axis takes of `from` ones. Wider than a place where these are more: antialiasing.
fn contributions(from: usize, to: usize) -> Vec<Contribution> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let of = |place: usize| {
        let centre = (place as f64 + 0.5) * scale;
        let first = (centre - SUPPORT * stretch + 0.5).max(0.0) as usize;
        let end = ((centre + SUPPORT * stretch + 0.5) as usize).min(from);
        let share = |neighbour: usize| cubic((neighbour as f64 - centre + 0.5) / stretch);
        let shares: Vec<f64> = (first..end).map(share).collect();
        let sum: f64 = shares.iter().sum();
        (first, shares.into_iter().map(|share| share / sum).collect())
    };
    (0..to).map(of).collect()
}

fn cubic(x: f64) -> f64 {
    match x.abs() {
        x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scripts/golden_positions.py`.
    #[test]
    fn grids_are_resampled_as_by_timm() {
        /// timm's shares are those of places in f32: of the 14th some 14 · 2⁻²³ = 2e-6 off.
        const NEAR: f64 = 1e-5;
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/positions.json");
        let golden: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).expect("the golden file is there")).expect("it is JSON");
        let number = |field: &serde_json::Value| field.as_u64().expect("a whole number") as usize;
        for case in golden["grids"].as_array().expect("a list") {
            let (side, numbers) = (number(&case["side"]), number(&case["numbers"]));
            let to = [0, 1].map(|axis| number(&case["to"][axis]));
            let values: Vec<f32> = (0..(1 + side * side) * numbers).map(|i| (0.37 * i as f64).sin() as f32).collect();
            let have = Resampled { name: String::new(), from: [side; 2], to }.apply(&values);
            let want = case["positions"].as_array().expect("a list").iter().flat_map(|row| row.as_array());
            let want: Vec<f64> = want.flatten().filter_map(serde_json::Value::as_f64).collect();
            assert_eq!((have.len(), want.len()), ((1 + to[0] * to[1]) * numbers, have.len()), "{side} to {to:?}");
            for (at, (&have, want)) in have.iter().zip(want).enumerate() {
                assert!((f64::from(have) - want).abs() <= NEAR, "{side} to {to:?}: number {at} is {have}, not {want}");
            }
        }
    }

    #[test]
    fn shares_are_whole_and_inside() {
        for (from, to) in [(1, 1), (1, 7), (7, 1), (14, 14), (14, 13), (14, 24), (24, 14), (2, 31), (31, 2)] {
            for (place, (first, shares)) in contributions(from, to).into_iter().enumerate() {
                let sum: f64 = shares.iter().sum();
                assert!((sum - 1.0).abs() < 1e-12, "{from} to {to}, place {place}: {sum}");
                assert!(!shares.is_empty() && first + shares.len() <= from, "{from} to {to}, place {place}");
            }
        }
        // The same grid is the same.
        assert!(contributions(5, 5).iter().enumerate().all(|(at, (first, of))| of[at - first] == 1.0));
    }
}
