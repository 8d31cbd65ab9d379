//! A block of 8 × 8 samples to frequencies, rounded, and back. Source: libjpeg's `jfdctint.c` and `jidctint.c`, after
//! Loeffler, Ligtenberg & Moschytz 1989: whole numbers of 13 bits after the point, 2 of them kept between the passes.

/// Bits after the binary point of a factor.
const FACTOR: u32 = 13;
/// Bits after the binary point that are kept between rows and columns.
const KEPT: u32 = 2;

// Sums of cosines of sixteenths of the circle, as they are called in the paper's figure.
const F_0_298: i32 = 2446;
const F_0_390: i32 = 3196;
const F_0_541: i32 = 4433;
const F_0_765: i32 = 6270;
const F_0_899: i32 = 7373;
const F_1_175: i32 = 9633;
const F_1_501: i32 = 12_299;
const F_1_847: i32 = 15_137;
const F_1_961: i32 = 16_069;
const F_2_053: i32 = 16_819;
const F_2_562: i32 = 20_995;
const F_3_072: i32 = 25_172;

/// Keeps of each frequency the nearest multiple of its step. The samples, 0 to 255, come back in that range.
///
/// Nothing leaves 32 bits: a block of samples has no row or column of frequencies above 4096 as they are kept between
/// the passes, rounding adds less than 6000 at a step of 255, and the longest sum of products is then below 1.9 · 10⁹.
pub(super) fn round(block: &mut [i32; 64], steps: &[i32; 64]) {
    block.iter_mut().for_each(|sample| *sample -= 128);
    rows(block, |row| forward(row, FACTOR - KEPT));
    columns(block, |column| forward(column, FACTOR + KEPT));
    for (frequency, step) in block.iter_mut().zip(steps) {
        // The transform leaves them eight times too large.
        let divisor = 8 * step;
        let size = (frequency.abs() + divisor / 2) / divisor;
        *frequency = frequency.signum() * size * step;
    }
    columns(block, |column| backward(column, FACTOR - KEPT));
    rows(block, |row| backward(row, FACTOR + KEPT + 3));
    block.iter_mut().for_each(|sample| *sample = (*sample + 128).clamp(0, 255));
}

fn rows(block: &mut [i32; 64], pass: impl Fn([i32; 8]) -> [i32; 8]) {
    block.as_chunks_mut().0.iter_mut().for_each(|row| *row = pass(*row));
}

fn columns(block: &mut [i32; 64], pass: impl Fn([i32; 8]) -> [i32; 8]) {
    for x in 0..8 {
        let column = pass(std::array::from_fn(|y| block[8 * y + x]));
        (0..8).for_each(|y| block[8 * y + x] = column[y]);
    }
}

/// Drops bits after the binary point, rounding a half up.
fn drop_bits(value: i32, bits: u32) -> i32 {
    (value + (1 << (bits - 1))) >> bits
}

fn forward(d: [i32; 8], bits: u32) -> [i32; 8] {
    let [s0, s1, s2, s3] = [d[0] + d[7], d[1] + d[6], d[2] + d[5], d[3] + d[4]];
    let [o4, o5, o6, o7] = [d[3] - d[4], d[2] - d[5], d[1] - d[6], d[0] - d[7]];
    let [e0, e1, e2, e3] = [s0 + s3, s1 + s2, s1 - s2, s0 - s3];
    let z = (e2 + e3) * F_0_541;
    let z5 = (o4 + o5 + o6 + o7) * F_1_175;
    let [z1, z2] = [(o4 + o7) * -F_0_899, (o5 + o6) * -F_2_562];
    let [z3, z4] = [(o4 + o6) * -F_1_961 + z5, (o5 + o7) * -F_0_390 + z5];
    [
        (e0 + e1) << FACTOR,
        o7 * F_1_501 + z1 + z4,
        z + e3 * F_0_765,
        o6 * F_3_072 + z2 + z3,
        (e0 - e1) << FACTOR,
        o5 * F_2_053 + z2 + z4,
        z - e2 * F_1_847,
        o4 * F_0_298 + z1 + z3,
    ]
    .map(|value| drop_bits(value, bits))
}

fn backward(f: [i32; 8], bits: u32) -> [i32; 8] {
    let z = (f[2] + f[6]) * F_0_541;
    let [low, high] = [z - f[6] * F_1_847, z + f[2] * F_0_765];
    let [sum, difference] = [(f[0] + f[4]) << FACTOR, (f[0] - f[4]) << FACTOR];
    let [e0, e1, e2, e3] = [sum + high, difference + low, difference - low, sum - high];
    let z5 = (f[1] + f[3] + f[5] + f[7]) * F_1_175;
    let [z1, z2] = [(f[7] + f[1]) * -F_0_899, (f[5] + f[3]) * -F_2_562];
    let [z3, z4] = [(f[7] + f[3]) * -F_1_961 + z5, (f[5] + f[1]) * -F_0_390 + z5];
    let o0 = f[7] * F_0_298 + z1 + z3;
    let o1 = f[5] * F_2_053 + z2 + z4;
    let o2 = f[3] * F_3_072 + z2 + z3;
    let o3 = f[1] * F_1_501 + z1 + z4;
    [e0 + o3, e1 + o2, e2 + o1, e3 + o0, e3 - o0, e2 - o1, e1 - o2, e0 - o3].map(|value| drop_bits(value, bits))
}
