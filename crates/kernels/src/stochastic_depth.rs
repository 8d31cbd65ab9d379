//! Whole rows of a batch set to zero by chance. Which ones is never stored: it is a function of a key and a row's number.

use crate::dropout::mix_u64;
use crate::parts::{PART, for_each_part};
use crate::per_element::per_element;
use crate::per_level::per_level;
use crate::{Cpu, Element};

per_element! {
    /// Every row of `x` divided by `1 - p`, or zero with probability `p`, drawn from `key` and the row's number alone: the
    /// same call on the gradient of `y` gives that of `x`. With `p = 1` all is zero.
    ///
    /// # Panics
    /// When the slices are not equally long or do not consist of `rows` rows, or `p` is outside `0..=1`.
    pub fn stochastic_depth[E](cpu: &Cpu, key: u64, p: f32, rows: usize, x: &[E], y: &mut [E]) {
        assert_eq!(x.len(), y.len(), "input and output are equally long");
        each_row(cpu, key, p, rows, y, |factor, start, y| {
            if factor == 0.0 { y.fill(E::default()) } else { scale_run(cpu, factor, &x[start..start + y.len()], y) }
        });
    }
}

per_element! {
    /// [`stochastic_depth`], over its input.
    ///
    /// # Panics
    /// As [`stochastic_depth`].
    pub fn stochastic_depth_in_place[E](cpu: &Cpu, key: u64, p: f32, rows: usize, x_y: &mut [E]) {
        each_row(cpu, key, p, rows, x_y, |factor, _, x_y| {
            if factor == 0.0 { x_y.fill(E::default()) } else { scale_run_in_place(cpu, factor, x_y) }
        });
    }
}

/// Cuts rows into parts and says what each part is multiplied with and where it starts.
fn each_row<E: Element>(
    cpu: &Cpu,
    key: u64,
    p: f32,
    rows: usize,
    y: &mut [E],
    each: impl Fn(f32, usize, &mut [E]) + Sync,
) {
    assert!((0.0..=1.0).contains(&p), "p is a probability, not {p}");
    let row = y.len().checked_div(rows).unwrap_or(0);
    assert_eq!(row * rows, y.len(), "the batch consists of {rows} rows");
    let kept = (1.0 / (1.0 - f64::from(p))) as f32;
    let factor = |row: usize| if is_dropped(key, p, row) { 0.0 } else { kept };
    for_each_part(cpu, PART, [y], |range, [mut rest]| {
        let mut start = range.start;
        while start < range.end {
            let number = start / row;
            let end = ((number + 1) * row).min(range.end);
            let (run, behind) = std::mem::take(&mut rest).split_at_mut(end - start);
            each(factor(number), start, run);
            (start, rest) = (end, behind);
        }
    });
}

/// Whether the row's 32 random bits are below the threshold.
fn is_dropped(key: u64, p: f32, row: usize) -> bool {
    let bits = mix_u64(key ^ mix_u64(row as u64)) >> 32;
    (bits as f64) < f64::from(p) * 4_294_967_296.0
}

per_level! {
    fn scale_run[E: Element](factor: f32, x: &[E], y: &mut [E]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = E::from_f32(factor * x.to_f32());
        }
    }
}

per_level! {
    fn scale_run_in_place[E: Element](factor: f32, x_y: &mut [E]) {
        for x_y in x_y {
            *x_y = E::from_f32(factor * x_y.to_f32());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{everywhere, noise};

    fn thinned(key: u64, p: f32, rows: usize, x: &[f32]) -> Vec<f32> {
        let [y, in_place] = everywhere("stochastic depth", |cpu| {
            let (mut y, mut in_place) = (vec![f32::NAN; x.len()], x.to_vec());
            stochastic_depth(cpu, key, p, rows, x, &mut y);
            stochastic_depth_in_place(cpu, key, p, rows, &mut in_place);
            [y, in_place]
        });
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert!(bits(&y) == bits(&in_place), "both forms give the same");
        y
    }

    /// How many of so many single numbers stay.
    fn kept(key: u64, p: f32, rows: usize) -> Vec<bool> {
        thinned(key, p, rows, &vec![1.0; rows]).iter().map(|&y| y != 0.0).collect()
    }

    #[test]
    fn rows_stay_whole_or_vanish() {
        for (rows, row) in [(1, 1), (3, 7), (32, 33), (5, 16_385), (2, 50_021), (0, 0), (4, 0)] {
            let x = noise(rows * row, 1);
            for p in [0.0, 0.3, 0.8, 1.0] {
                let y = thinned(9, p, rows, &x);
                let scale = (1.0 / (1.0 - f64::from(p))) as f32;
                for (number, (x, y)) in x.chunks(row.max(1)).zip(y.chunks(row.max(1))).enumerate() {
                    let factor = if kept(9, p, rows)[number] { scale } else { 0.0 };
                    assert!(x.iter().zip(y).all(|(x, &y)| y == factor * x), "row {number} of {rows} × {row} at {p}");
                }
            }
        }
    }

    #[test]
    fn the_share_that_is_kept_is_the_one_asked_for_and_keys_are_independent() {
        const ROWS: usize = 100_000;
        for p in [0.0125_f32, 0.2, 0.5] {
            for key in [0, 1, u64::MAX] {
                let share = kept(key, p, ROWS).iter().filter(|&&kept| kept).count() as f64 / ROWS as f64;
                let p = f64::from(p);
                let deviation = (p * (1.0 - p) / ROWS as f64).sqrt();
                assert!((share - (1.0 - p)).abs() < 4.5 * deviation, "{share} kept at {p}");
            }
        }
        assert!(kept(1, 0.0, 100).iter().all(|&kept| kept) && !kept(1, 1.0, 100).contains(&true));
        let one = kept(5, 0.5, ROWS);
        for (what, other) in [("next row", &one[1..]), ("next key", &kept(6, 0.5, ROWS)[..])] {
            let same = one.iter().zip(other).filter(|(a, b)| a == b).count() as f64;
            let correlation = 2.0 * same / other.len() as f64 - 1.0;
            assert!(correlation.abs() < 4.5 / (other.len() as f64).sqrt(), "{what}: {correlation}");
        }
    }

    #[test]
    fn what_vanishes_leaves_no_nan() {
        let y = thinned(3, 0.5, 64, &[f32::NAN; 64]);
        assert!(y.iter().any(|y| y.is_nan()) && y.contains(&0.0));
    }
}
