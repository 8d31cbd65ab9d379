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
fn mix_u64(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
