//! Random zeros. The mask is never stored: it is a function of a key and an element's index.

use crate::Cpu;
use crate::parts::{PART, for_each_part};
use crate::per_level::per_level;

/// `y = x / (1 - p)`, or 0 with probability `p`, drawn from `key` and the element's index alone: the same call on the
/// gradient of `y` gives that of `x`. With `p = 1` all is zero, as in PyTorch.
///
/// # Panics
/// When the slices are not equally long or `p` is outside `0..=1`.
pub fn dropout(cpu: &Cpu, key: u64, p: f32, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "input and output are equally long");
    assert!((0.0..=1.0).contains(&p), "p is a probability, not {p}");
    if p == 1.0 {
        return crate::elementwise::fill(cpu, 0.0, y);
    }
    // An element is dropped when its 32 random bits are below this.
    let threshold = (f64::from(p) * 4_294_967_296.0) as u32;
    let scale = (1.0 / (1.0 - f64::from(p))) as f32;
    for_each_part(cpu, PART, [y], |range, [y]| {
        let key = mix_u64(key ^ mix_u64((range.start / PART) as u64));
        dropout_part(cpu, key as u32, (key >> 32) as u32, threshold, scale, &x[range], y);
    });
}

per_level! {
    fn dropout_part(low: u32, high: u32, threshold: u32, scale: f32, x: &[f32], y: &mut [f32]) {
        for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
            let bits = mix_u32(mix_u32(i as u32 ^ low) ^ high);
            *y = if bits < threshold { 0.0 } else { x * scale };
        }
    }
}

/// A bijection of 32 bits in which every input bit flips every output bit about half the time: `lowbias32` of
/// C. Wellons' hash prospector (public domain).
#[inline(always)]
fn mix_u32(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// The output function of SplitMix64 (Steele, Lea, Flood 2014), one step on.
pub(crate) fn mix_u64(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{LENGTHS, everywhere};

    fn dropped(key: u64, p: f32, len: usize) -> Vec<f32> {
        let [y] = everywhere("dropout", |cpu| {
            let mut y = vec![f32::NAN; len];
            dropout(cpu, key, p, &vec![1.0; len], &mut y);
            [y]
        });
        y
    }

    #[test]
    fn the_share_that_is_kept_is_the_one_asked_for() {
        let len = 200_000;
        for p in [0.1_f32, 0.2, 0.5, 0.9] {
            for key in [0, 1, u64::MAX] {
                let y = dropped(key, p, len);
                let kept = y.iter().filter(|&&y| y != 0.0).count() as f64 / len as f64;
                let p = f64::from(p);
                let deviation = (p * (1.0 - p) / len as f64).sqrt();
                assert!((kept - (1.0 - p)).abs() < 4.5 * deviation, "{kept} kept at {p}");
                assert!(y.iter().all(|&y| y == 0.0 || (f64::from(y) * (1.0 - p) - 1.0).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn none_and_all_can_be_dropped() {
        for &len in LENGTHS {
            assert!(dropped(3, 0.0, len).iter().all(|&y| y == 1.0));
            assert!(dropped(3, 1.0, len).iter().all(|&y| y == 0.0));
        }
    }

    #[test]
    fn neighbours_parts_and_keys_are_independent() {
        let y = dropped(5, 0.5, 10 * PART);
        // Correlation of signs at a distance; of `n` independent ones it is within 4.5 / √n.
        let correlation = |a: &[f32], b: &[f32]| {
            let same = a.iter().zip(b).filter(|(a, b)| (**a == 0.0) == (**b == 0.0)).count();
            2.0 * same as f64 / a.len().min(b.len()) as f64 - 1.0
        };
        let bound = 4.5 / (9.0 * PART as f64).sqrt();
        for distance in [1, 2, 3, 7, 8, 16, 64, 512, 1024, PART] {
            let found = correlation(&y, &y[distance..]);
            assert!(found.abs() < bound, "{found} at distance {distance}");
        }
        for key in [4, 6, 5 + (1 << 32), 5 << 1] {
            let found = correlation(&y, &dropped(key, 0.5, y.len()));
            assert!(found.abs() < bound, "{found} with key {key}");
        }
    }
}
