//! The length of gradients.

use crate::Cpu;
use crate::per_level::per_level;

/// Sums of their own that a slice is cut into, so that threads share it and its sum does not depend on them.
const CHUNKS: usize = 64;
/// Numbers that are summed side by side.
const LANES: usize = 8;

/// `Σ x²`, in f64; the same bits for every number of threads.
pub fn sum_of_squares(cpu: &Cpu, x: &[f32]) -> f64 {
    let mut sums = [0.0; CHUNKS];
    let per_chunk = x.len().div_ceil(CHUNKS).next_multiple_of(LANES).max(LANES);
    cpu.pool().for_each_chunk(&mut sums, 1, |number, sum| {
        let start = (number * per_chunk).min(x.len());
        squares_part(cpu, &x[start..(start + per_chunk).min(x.len())], &mut sum[0]);
    });
    sums.iter().sum()
}

per_level! {
    fn squares_part(x: &[f32], sum: &mut f64) {
        let mut lanes = [0.0; LANES];
        let (blocks, rest) = x.as_chunks::<LANES>();
        for block in blocks {
            for (lane, &x) in lanes.iter_mut().zip(block) {
                *lane += f64::from(x) * f64::from(x);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane += f64::from(x) * f64::from(x);
        }
        *sum = lanes.iter().sum();
    }
}
