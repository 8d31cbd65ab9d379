//! Weights and pictures that PyTorch's side computes too: `scripts/golden_networks.py` defines them.

use avizor_engine::{Shape, State};

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of splitmix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn fnv1a64(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

/// Numbers in -1..1, in the order of files.
fn noise(seed: u64, name: &str) -> impl Fn(usize) -> f64 {
    let start = mix(fnv1a64(name) ^ seed);
    move |i| (mix(start.wrapping_add((i as u64).wrapping_mul(GOLDEN))) >> 40) as f64 / (1u64 << 23) as f64 - 1.0
}

/// Every parameter of a state.
pub(crate) fn fill(state: &mut State, seed: u64) {
    for parameter in state.parameters().to_vec() {
        let (name, shape) = (parameter.name.as_str(), parameter.disk_shape());
        let fan_in: usize = shape[1..].iter().product();
        let (centre, scale) = match shape.len() {
            1 if name.ends_with("bias") || name.ends_with("running_mean") => (0.0, 0.1),
            1 => (1.0, 0.25),
            _ => (0.0, (6.0 / fan_in as f64).sqrt()),
        };
        let noise = noise(seed, name);
        let values: Vec<f32> = (0..shape.elements()).map(|i| (centre + scale * noise(i)) as f32).collect();
        state.write_disk(name, &shape, &values).unwrap();
    }
}

/// A batch of pictures, in our order: rows × size × size × 3.
pub(crate) fn image(seed: u64, rows: usize, size: usize) -> Vec<f32> {
    let noise = noise(seed, "image");
    let pixels = size * size;
    let at = |i: usize| {
        let (row, pixel, channel) = (i / (3 * pixels), i / 3 % pixels, i % 3);
        (1.5 * noise((row * 3 + channel) * pixels + pixel)) as f32
    };
    (0..rows * pixels * 3).map(at).collect()
}

/// So many numbers of metadata.
pub(crate) fn metadata(seed: u64, len: usize) -> Vec<f32> {
    let noise = noise(seed, "metadata");
    (0..len).map(|i| (1.5 * noise(i)) as f32).collect()
}

/// Their labels.
pub(crate) fn labels(seed: u64, rows: usize, classes: usize) -> Vec<i32> {
    (0..rows).map(|row| ((7 * row + 3 + seed as usize) % classes) as i32).collect()
}

/// Sums of a tensor's numbers with random signs that depend on the place in files alone.
pub(crate) fn projections(values: impl Iterator<Item = (usize, f32)>, count: usize) -> Vec<f64> {
    let start = fnv1a64("direction");
    let mut sums = vec![0.0; count];
    for (i, value) in values {
        let bits = mix(start.wrapping_add((i as u64).wrapping_mul(GOLDEN)));
        let value = f64::from(value).to_bits();
        for (k, sum) in sums.iter_mut().enumerate() {
            *sum += f64::from_bits(value ^ (bits >> k & 1) << 63);
        }
    }
    sums
}

/// For every number of a parameter in memory, its place in files. Exact up to 2²⁴ numbers.
pub(crate) fn places(state: &mut State) {
    for parameter in state.parameters().to_vec() {
        let shape: Shape = parameter.disk_shape();
        let values: Vec<f32> = (0..shape.elements()).map(|i| i as f32).collect();
        state.write_disk(&parameter.name, &shape, &values).unwrap();
    }
}
