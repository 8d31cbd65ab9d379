use super::*;

/// A formula's numbers in a range.
fn numbers(count: usize, seed: u32) -> impl Iterator<Item = u32> {
    (0..count as u32).map(move |i| (i + 977 * seed).wrapping_mul(2_654_435_761) >> 7)
}

fn bytes(count: usize, seed: u32) -> Vec<u8> {
    // Ends of the range are where sums are clipped.
    numbers(count, seed)
        .map(|number| if number % 3 == 0 { (number >> 5) as u8 } else { (number & 1) as u8 * 255 })
        .collect()
}

/// Of either sign; so many taps together weigh from less than nothing to nearly twice a pixel, which is as much as a sum holds.
fn weights(count: usize, taps: usize, seed: u32) -> Vec<i32> {
    let most = 19 * ONE / (10 * taps as i32);
    numbers(count, seed).map(|number| number as i32 % (most + most / 3) - most / 3).collect()
}

fn sum(terms: impl Iterator<Item = (u8, i32)>) -> u8 {
    let sum: i64 = terms.map(|(sample, weight)| i64::from(sample) * i64::from(weight)).sum();
    ((sum + i64::from(HALF)) >> PRECISION).clamp(0, 255) as u8
}

fn everywhere(check: impl Fn(Resample, &str)) {
    for kernel in RESAMPLE.iter().filter(|kernel| kernel.level.is_available()) {
        check(Resample(kernel), kernel.name);
    }
}

#[test]
fn rows_are_the_sums_of_their_taps_at_every_level() {
    // Around a group of four taps and a load of sixteen bytes; then the usual.
    for from in [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 17, 18, 33, 100, 500] {
        for to in [1, 2, 3, 5, 16, 31, 160] {
            for most in [1, 2, 3, 4, 5, 7, 8, 9, 13, 100] {
                check_row(from, to, most);
            }
        }
    }
}

fn check_row(from: usize, to: usize, most: usize) {
    // The picture may begin before what is needed of it.
    let skipped = from % 3;
    let bounds: Vec<(u32, u32)> = (0..to)
        .map(|output| {
            let first = output * from / to;
            ((skipped + first) as u32, (most - output % 2).clamp(1, from - first) as u32)
        })
        .collect();
    let taps = Taps::new(bounds.clone(), weights(to * most, most, from as u32));
    let needed = taps.needed();
    let row = bytes(3 * needed.len(), to as u32);
    let wanted: Vec<u8> = (0..to)
        .flat_map(|output| {
            let (first, weights) = taps.of(output);
            let sample = |tap: usize, channel: usize| row[3 * (first - needed.start + tap) + channel];
            [0, 1, 2]
                .map(|channel| sum(weights.iter().enumerate().map(|(tap, weight)| (sample(tap, channel), *weight))))
        })
        .collect();
    everywhere(|kernels, name| {
        let mut output = vec![7; 3 * to];
        kernels.along_row(&taps, &row, &mut output);
        assert_eq!(output, wanted, "{name}: {from} to {to} by {most}");
    });
}

#[test]
fn columns_are_the_sums_of_their_rows_at_every_level() {
    for width in [0, 1, 15, 16, 17, 31, 48, 480] {
        for count in [0, 1, 2, 3, 4, 7, 13, 100] {
            for between in [0, 5] {
                let stride = width + between;
                let source = bytes(stride * count, width as u32);
                let source = &source[..source.len().saturating_sub(between)];
                let weights = weights(count, count.max(1), count as u32);
                let column =
                    |x: usize| sum(weights.iter().enumerate().map(|(y, weight)| (source[y * stride + x], *weight)));
                let wanted: Vec<u8> = (0..width).map(column).collect();
                everywhere(|kernels, name| {
                    let mut output = vec![7; width];
                    kernels.down_columns(&weights, source, stride, &mut output);
                    assert_eq!(output, wanted, "{name}: {width} columns of {count} rows");
                });
            }
        }
    }
}

#[test]
fn the_kernels_of_a_level_are_of_no_higher_one() {
    for level in Level::available() {
        assert!(Resample::at_level(level).0.level <= level);
    }
}
